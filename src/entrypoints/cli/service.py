"""The HTTP API as the command line sees it, with every way to fail as an exit code."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import httpx

from adapters.loopback import is_loopback
from entrypoints.cli.exit_codes import NO_SERVICE, REFUSED

_TIMEOUT = httpx.Timeout(10.0, read=300.0, write=60.0)
_POLL_S = 0.3
_OUTAGE_S = 30.0
_UPLOAD_PAUSES_S = (1.0, 4.0)
_STANDSTILL_S = 1_800.0
_LONGEST_PAUSE_S = 60.0

Answer = Mapping[str, Any]


class RefusedError(click.ClickException):
    """The service understood and declined; `problem` is its answer."""

    exit_code = REFUSED

    def __init__(self, problem: Answer) -> None:
        super().__init__(f"{problem.get('title', 'The request was refused.')} {problem.get('detail', '')}".strip())
        self.problem = problem


class NoServiceError(click.ClickException):
    """Nobody answers, or somebody does who cannot do the work now; `may_pass` where a repeat may find it done.

    A repeat makes no sense before `wait_s` seconds are over.
    """

    exit_code = NO_SERVICE

    def __init__(self, message: str, *, may_pass: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.may_pass = may_pass
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFiles:
    """The files of one upload."""

    ladder_zip: Path
    template: Path
    comments: Path | None = None


class Service:
    """Raises RefusedError and NoServiceError."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def upload(
        self, files: UploadFiles, details: Mapping[str, str], *, into: str | None = None, idempotency_key: str = ""
    ) -> Answer:
        """Register a program, or replace the files of the one that is named.

        What got no answer, or is unavailable for the moment, is sent again, under a key that lets it register once.
        """
        keyed = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        for pause_s in _UPLOAD_PAUSES_S:
            try:
                return await self._upload(files, details, into=into, headers=keyed)
            except NoServiceError as error:
                if not error.may_pass:
                    raise
                await _pause(max(pause_s, error.wait_s))
        return await self._upload(files, details, into=into, headers=keyed)

    async def _upload(
        self, files: UploadFiles, details: Mapping[str, str], *, into: str | None, headers: Mapping[str, str]
    ) -> Answer:
        with ExitStack() as stack:
            parts = {
                field: (path.name, stack.enter_context(path.open("rb")))
                for field, path in (
                    ("pgm_ladder_zip_file", files.ladder_zip),
                    ("pgm_template_file", files.template),
                    ("pgm_comment_file", files.comments),
                )
                if path is not None
            }
            if into:
                return await self._ask("PUT", f"/v1/programs/{quote(into, safe='')}/files", data=details, files=parts)
            return await self._ask("POST", "/v1/programs", data=details, files=parts, headers=headers)

    async def search(self, question: Answer) -> Answer:
        """Find rungs."""
        return await self._ask("POST", "/v1/search", json=question)

    async def uses(self, address: str, narrowed: Answer) -> Answer:
        """Where a device is used."""
        return await self._ask("GET", f"/v1/devices/{quote(address, safe='')}/uses", params=narrowed)

    async def rung(self, rung_id: str) -> Answer:
        """One rung."""
        return await self._ask("GET", f"/v1/rungs/{quote(rung_id, safe='')}")

    async def template(self, pgm_id: str) -> Answer:
        """The folders and logics of a program."""
        return await self._ask("GET", f"/v1/programs/{quote(pgm_id, safe='')}/template")

    async def programs(self, limit: int) -> Answer:
        """The newest programs."""
        return await self._ask("GET", "/v1/programs", params={"limit": limit})

    async def program(self, pgm_id: str) -> Answer:
        """One program."""
        return await self._ask("GET", f"/v1/programs/{pgm_id}")

    async def indexing(self, pgm_id: str) -> Answer:
        """How far the indexing of a program is."""
        return await self._ask("GET", f"/v1/programs/{pgm_id}/indexing")

    async def operations(self) -> Answer:
        """How the service stands."""
        return await self._ask("GET", "/v1/operations")

    async def retry(self, pgm_id: str, chosen: Answer) -> Answer:
        """Give documents of a program back."""
        return await self._ask("POST", f"/v1/programs/{pgm_id}/retry", json=chosen)

    async def retry_everywhere(self, include: str, cursor: str | None = None) -> Answer:
        """Give back one page of what failed in all programs, or of the events that are dead."""
        return await self._ask("POST", "/v1/retry", json={"include": include, "cursor": cursor})

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

    async def progress(self, pgm_id: str, *, standstill_s: float = _STANDSTILL_S) -> AsyncIterator[Answer]:
        """Ask again and again until nothing more happens; an outage of up to half a minute is sat out.

        Raises NoServiceError when nothing moves for `standstill_s`: longer than the service itself keeps trying.
        """
        clock = asyncio.get_running_loop().time
        answered, moved, done = clock(), clock(), -1
        while True:
            try:
                indexing = await self.indexing(pgm_id)
            except NoServiceError:
                if clock() - answered > _OUTAGE_S:
                    raise
            else:
                answered = clock()
                if indexing["done"] != done:
                    moved, done = answered, indexing["done"]
                yield indexing
                if indexing["status"] != "indexing":
                    return
            if clock() - moved > standstill_s:
                raise NoServiceError(f"the indexing of {pgm_id} stands still: {done} documents are done")
            await asyncio.sleep(_POLL_S)

    async def _ask(self, method: str, path: str, **content: Any) -> Answer:
        try:
            answer = await self._client.request(method, path, **content)
            body = {} if answer.status_code == HTTPStatus.NO_CONTENT else answer.json()
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            lost = not isinstance(error, httpx.ConnectError)
            raise NoServiceError(f"no service answers at {self._client.base_url}: {reason}", may_pass=lost) from error
        except json.JSONDecodeError as error:
            raise NoServiceError(f"what answers at {self._client.base_url} is not this service") from error
        if not isinstance(body, dict):
            raise NoServiceError(f"what answers at {self._client.base_url} is not this service")
        may_pass = answer.status_code in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
        if may_pass or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            detail = body.get("detail", answer.status_code)
            raise NoServiceError(
                f"the service cannot do this now: {detail}", may_pass=may_pass, wait_s=_retry_after_s(answer)
            )
        if answer.is_error:
            raise RefusedError(body)
        return body


@asynccontextmanager
async def connected(
    url: str, transport: httpx.AsyncBaseTransport | None = None, *, api_key: str = "", language: str = "en"
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
        yield Service(client)


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _retry_after_s(answer: httpx.Response) -> float:
    """What the service asks for, within reason."""
    seconds = answer.headers.get("Retry-After", "")
    return min(float(seconds), _LONGEST_PAUSE_S) if seconds.isascii() and seconds.isdigit() else 0.0


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise click.BadParameter(str(error), param_hint="--url") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise click.BadParameter(f"{url} is no http address", param_hint="--url")
    return address
