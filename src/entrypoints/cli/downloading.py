"""Bytes of the service into a file: gone on with where they broke off, if that can be told, and else anew."""

import asyncio
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

import httpx

from entrypoints.cli.problems import NoServiceError
from entrypoints.cli.service import Service, pause

_PAUSES_S = (1.0, 4.0)
_LONGEST_PAUSE_S = 60.0
_SILENCE_S = 60.0
_PIECE_BYTES = 1_048_576

OnReceived = Callable[[int, int | None], None]
"""Told how many bytes have come, of how many if that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is downloaded. A ZIP that is made as it is sent has neither length nor digest."""

    path: str
    name: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(slots=True)
class Download:
    """One source into one file. `tag` is the state that the bytes in the file are of; empty where none is sure."""

    service: Service
    source: Source
    file: BinaryIO
    on_received: OnReceived
    tag: str = ""

    async def run(self) -> str:
        """Receive all of it; its SHA-256. Raises NoServiceError where nobody answers, or what came is not all of it.

        What is lost on the way is asked for again, three times in all.
        """
        for pause_s in _PAUSES_S:
            try:
                await self._receive()
                break
            except NoServiceError as error:
                if not error.may_pass:
                    raise
                await pause(min(max(pause_s, error.wait_s), _LONGEST_PAUSE_S))
        else:
            await self._receive()
        return await self._require_whole()

    async def _receive(self) -> None:
        begun = self.file.tell()
        if begun and begun == self.source.size_bytes:
            return
        headers = {"Accept-Encoding": "identity"}
        if begun and self.tag:
            headers |= {"Range": f"bytes={begun}-", "If-Range": self.tag}
        async with self.service.opened(self.source.path, headers, silence_s=_SILENCE_S) as answer:
            if not _goes_on(answer, begun):
                self.file.seek(0)
                self.file.truncate()
            self.tag = _strong_tag(answer)
            async for piece in answer.aiter_raw():
                await asyncio.to_thread(self.file.write, piece)
                self.on_received(self.file.tell(), self.source.size_bytes)

    async def _require_whole(self) -> str:
        digest = await asyncio.to_thread(_digest, self.file)
        is_whole = digest == self.source.sha256 if self.source.sha256 else zipfile.is_zipfile(self.file)
        if not is_whole:
            raise NoServiceError(f"what came is not {self.source.name} as the service has it: try again")
        return digest


def _goes_on(answer: httpx.Response, begun: int) -> bool:
    told = answer.headers.get("Content-Range", "")
    return answer.status_code == HTTPStatus.PARTIAL_CONTENT and told.startswith(f"bytes {begun}-")


def _strong_tag(answer: httpx.Response) -> str:
    tag: str = answer.headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
