"""The HTTP API as the command line sees it, with every way to fail as an exit code."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import httpx

from adapters.loopback import is_loopback
from entrypoints.cli.answers import body_of, require_success, translated_errors
from entrypoints.cli.problems import Answer, NoServiceError
from entrypoints.cli.sent_files import OnSent, WatchedFile, watched

_TIMEOUT = httpx.Timeout(10.0, read=300.0, write=60.0)
_UPLOAD_PAUSES_S = (1.0, 4.0)
_LONGEST_PAUSE_S = 60.0
_REPEATS = 2
_PATIENCE_S = 30.0
"""For how long, together, a question waits that the service bids to come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFiles:
    """The files of one upload."""

    ladder_zip: Path
    template: Path
    comments: Path | None = None

    @property
    def fields(self) -> Mapping[str, Path]:
        """The files by the names of their fields."""
        fields = {
            "pgm_ladder_zip_file": self.ladder_zip,
            "pgm_template_file": self.template,
            "pgm_comment_file": self.comments,
        }
        return {field: path for field, path in fields.items() if path is not None}


class Service:
    """Raises RefusedError and NoServiceError.

    With `on_wait`, what changes nothing or may be repeated is asked again after the seconds that the service names,
    which `on_wait` is told first.
    """

    def __init__(self, client: httpx.AsyncClient, on_wait: Callable[[NoServiceError], None] | None = None) -> None:
        self._client = client
        self._on_wait = on_wait

    async def upload(
        self,
        files: UploadFiles,
        details: Mapping[str, str],
        *,
        into: str | None = None,
        idempotency_key: str = "",
        on_sent: OnSent | None = None,
    ) -> Answer:
        """Register a program, or replace the files of the one that is named.

        What got no answer, or is unavailable for the moment, is sent again, under a key that lets it register once.
        """
        if into:
            return await self._send("PUT", f"{_program(into)}/files", files.fields, details, on_sent=on_sent)
        key = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return await self._send("POST", "/v1/programs", files.fields, details, headers=key, on_sent=on_sent)

    async def attach(
        self,
        pgm_id: str,
        file: Path,
        details: Mapping[str, str],
        *,
        idempotency_key: str = "",
        on_sent: OnSent | None = None,
    ) -> Answer:
        """Add a further document to a program; sent again as an upload is."""
        key = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        path = f"{_program(pgm_id)}/documents"
        return await self._send("POST", path, {"file": file}, details, headers=key, on_sent=on_sent)

    async def search(self, question: Answer) -> Answer:
        """Find rungs."""
        return await self._ask("POST", "/v1/search", may_repeat=True, json=question)

    async def uses(self, address: str, narrowed: Answer) -> Answer:
        """Where a device is used."""
        return await self._ask("GET", f"/v1/devices/{quote(address, safe='')}/uses", params=narrowed)

    async def rung(self, rung_id: str) -> Answer:
        """One rung."""
        return await self._ask("GET", f"/v1/rungs/{quote(rung_id, safe='')}")

    async def template(self, pgm_id: str) -> Answer:
        """The folders and logics of a program."""
        return await self._ask("GET", f"{_program(pgm_id)}/template")

    async def programs(self, narrowed: Answer) -> Answer:
        """A page of programs."""
        return await self._ask("GET", "/v1/programs", params=narrowed)

    async def program(self, pgm_id: str) -> Answer:
        """One program."""
        return await self._ask("GET", _program(pgm_id))

    async def documents(self, pgm_id: str, narrowed: Answer) -> Answer:
        """A page of the documents of a program."""
        return await self._ask("GET", f"{_program(pgm_id)}/documents", params=narrowed)

    async def document(self, document_id: str) -> Answer:
        """One document."""
        return await self._ask("GET", _document(document_id))

    async def warnings(self, pgm_id: str) -> Answer:
        """What looks wrong about the devices of a program."""
        return await self._ask("GET", f"{_program(pgm_id)}/warnings")

    async def indexing(self, pgm_id: str) -> Answer:
        """How far the indexing of a program is."""
        return await self._ask("GET", f"{_program(pgm_id)}/indexing")

    async def operations(self) -> Answer:
        """How the service stands."""
        return await self._ask("GET", "/v1/operations")

    async def retry(self, pgm_id: str, chosen: Answer) -> Answer:
        """Give documents of a program back."""
        return await self._ask("POST", f"{_program(pgm_id)}/retry", json=chosen)

    async def retry_everywhere(self, include: str, cursor: str | None = None) -> Answer:
        """Give back one page of what failed in all programs, or of the events that are dead."""
        return await self._ask("POST", "/v1/retry", json={"include": include, "cursor": cursor})

    async def delete_programs(self, pgm_ids: Sequence[str]) -> Answer:
        """Delete programs, each by itself."""
        return await self._ask("POST", "/v1/programs/delete", may_repeat=True, json={"pgm_ids": pgm_ids})

    async def remove_document(self, pgm_id: str, document_id: str) -> Answer:
        """Remove a further document."""
        return await self._ask("DELETE", f"{_program(pgm_id)}/documents/{quote(document_id, safe='')}")

    async def webhooks(self) -> Answer:
        """Who is told of what."""
        return await self._ask("GET", "/v1/webhooks")

    async def add_webhook(self, address: str, kinds: Sequence[str]) -> Answer:
        """Have an address told."""
        return await self._ask("POST", "/v1/webhooks", json={"url": address, "kinds": kinds})

    async def remove_webhook(self, webhook_id: str) -> Answer:
        """Tell it nothing more."""
        return await self._ask("DELETE", f"/v1/webhooks/{quote(webhook_id, safe='')}")

    async def rotate_webhook(self, webhook_id: str) -> Answer:
        """Give it another secret."""
        return await self._ask("POST", f"/v1/webhooks/{quote(webhook_id, safe='')}/secret")

    @asynccontextmanager
    async def opened(self, path: str, headers: Mapping[str, str], *, silence_s: float) -> AsyncIterator[httpx.Response]:
        """An answer that is read piece by piece; more than `silence_s` seconds without one are an outage."""
        timeout = httpx.Timeout(10.0, read=silence_s)
        with translated_errors(self._client):
            async with self._client.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if answer.is_error:
                    await answer.aread()
                    require_success(answer, body_of(answer, self._client))
                yield answer

    async def _send(
        self,
        method: str,
        path: str,
        files: Mapping[str, Path],
        details: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        on_sent: OnSent | None,
    ) -> Answer:
        for pause_s in _UPLOAD_PAUSES_S:
            try:
                return await self._send_once(method, path, files, details, headers=headers, on_sent=on_sent)
            except NoServiceError as error:
                if not error.may_pass:
                    raise
                await pause(min(max(pause_s, error.wait_s), _LONGEST_PAUSE_S))
        return await self._send_once(method, path, files, details, headers=headers, on_sent=on_sent)

    async def _send_once(
        self,
        method: str,
        path: str,
        files: Mapping[str, Path],
        details: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None,
        on_sent: OnSent | None,
    ) -> Answer:
        with ExitStack() as stack:
            opened: dict[str, WatchedFile] = watched(files, on_sent, stack)
            parts = {field: (files[field].name, file) for field, file in opened.items()}
            return await self._ask(method, path, data=details, files=parts, headers=headers)

    async def _ask(self, method: str, path: str, *, may_repeat: bool = False, **content: Any) -> Answer:
        left_s = _PATIENCE_S
        for _ in range(_REPEATS if may_repeat or method == "GET" else 0):
            try:
                return await self._ask_once(method, path, **content)
            except NoServiceError as error:
                if self._on_wait is None or not 0 < error.wait_s <= left_s:
                    raise
                left_s -= error.wait_s
                self._on_wait(error)
                await pause(error.wait_s)
        return await self._ask_once(method, path, **content)

    async def _ask_once(self, method: str, path: str, **content: Any) -> Answer:
        with translated_errors(self._client):
            answer = await self._client.request(method, path, **content)
        body = body_of(answer, self._client)
        require_success(answer, body)
        return body


@asynccontextmanager
async def connected(
    url: str,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    api_key: str = "",
    language: str = "en",
    on_wait: Callable[[NoServiceError], None] | None = None,
) -> AsyncIterator[Service]:
    """A service for the length of the block, asked to answer in `language`.

    No proxy of the environment stands before one on this machine.
    """
    address = _address(url)
    is_local = is_loopback(address.host)
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
    async with httpx.AsyncClient(
        base_url=address, transport=transport, timeout=_TIMEOUT, trust_env=not is_local, headers=headers
    ) as client:
        yield Service(client, on_wait)


async def pause(seconds: float) -> None:
    """Wait: tests need not."""
    await asyncio.sleep(seconds)


def content_of_program(pgm_id: str) -> str:
    """Where the ZIP of a program is."""
    return f"{_program(pgm_id)}/content"


def content_of_document(document_id: str) -> str:
    """Where the bytes of a document are."""
    return f"{_document(document_id)}/content"


def events_of(pgm_id: str) -> str:
    """Where the indexing of a program is told as it goes on."""
    return f"{_program(pgm_id)}/indexing/events"


def _program(pgm_id: str) -> str:
    return f"/v1/programs/{quote(pgm_id, safe='')}"


def _document(document_id: str) -> str:
    return f"/v1/documents/{quote(document_id, safe='')}"


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise click.BadParameter(f"{url} is no http address", param_hint="--url")
    return address
