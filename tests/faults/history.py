"""What clients asked, and what they know of the outcome: a client whose every operation is written down."""

import asyncio
import hashlib
import io
import random
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx

from builders.uploads import archive_of, template_of

ANSWER_WITHIN_S = 35.0


class Outcome(StrEnum):
    """What the client knows. `UNKNOWN` may have happened or not, now or later: no answer, or a 503."""

    OK = "ok"
    FAILED = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """A ladder as its owner has it: what must be stored byte for byte, and how many rungs must be found."""

    sha256: str
    size_bytes: int
    rungs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """An upload as its owner has it. `device` stands in each rung and in no other program."""

    archive: bytes
    template: bytes
    bodies: Mapping[str, str]
    logics: Mapping[str, Logic]
    device: str

    @property
    def sha256s(self) -> dict[str, str]:
        """Of the uploaded files, by document type."""
        return {
            "PGM_LADDER_ZIP": hashlib.sha256(self.archive).hexdigest(),
            "PGM_TEMPLATE_FILE": hashlib.sha256(self.template).hexdigest(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A further document as its owner has it. `word` stands in it and in no other."""

    name: str
    content: bytes
    word: str

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a webhook was sent, and whether it took it."""

    delivery_id: str
    kind: str
    pgm_id: str
    revision: int
    is_taken: bool


@dataclass(slots=True, kw_only=True)
class Operation:
    """One question to the API and its answer. Times are of this process' monotonic clock."""

    kind: str  # upload, replace, delete, search, status, add, remove
    key: str  # of an upload: its name, which is also its Idempotency-Key
    began_s: float
    pgm_id: str = ""
    revision: int = 0  # of files that were accepted
    ended_s: float = float("inf")
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0
    retry_after: str = ""
    files: Files | None = None
    note: Note | None = None
    document_id: str = ""  # of a further document
    hits: Sequence[str] = ()
    found: Sequence[str] = ()  # the documents of the hits
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class History:
    """Every operation of every client, in the order of their beginnings; what webhooks received, as it came.

    `told_since` is how many operations there were when a webhook was added that is told everything.
    """

    operations: list[Operation] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    told_since: int | None = None

    def of(self, kind: str, *outcomes: Outcome) -> list[Operation]:
        """Operations of a kind, with these outcomes if any are named."""
        wanted = outcomes or tuple(Outcome)
        return [each for each in self.operations if each.kind == kind and each.outcome in wanted]

    @property
    def accepted(self) -> dict[str, Operation]:
        """The uploads that were answered 201, by program."""
        return {each.pgm_id: each for each in self.of("upload", Outcome.OK)}

    def sent(self, pgm_id: str) -> list[Operation]:
        """What may have given a program its files: all that was accepted, or whose outcome is unknown."""
        uploads = [upload] if (upload := self.accepted.get(pgm_id)) else []
        replaced = self.of("replace", Outcome.OK, Outcome.UNKNOWN)
        return uploads + [each for each in replaced if each.pgm_id == pgm_id]

    def counted(self) -> dict[str, int]:
        """How often each kind ended how."""
        counts: dict[str, int] = {}
        for each in self.operations:
            counts[f"{each.kind} {each.outcome}"] = counts.get(f"{each.kind} {each.outcome}", 0) + 1
        return counts


class Client:
    """Talks to one API and writes down what it knows. Never raises for what a service or a network may do."""

    def __init__(self, http: httpx.AsyncClient, history: History) -> None:
        self._http = http
        self.history = history

    async def upload(self, files: Files, *, key: str = "") -> Operation:
        """POST /v1/programs. The key is the program's name too: so is found what came of an unknown outcome."""
        operation = self._begin("upload", key or f"시험 {uuid4().hex}", files=files)
        await self._ask(
            operation,
            "POST",
            "/v1/programs",
            data={"pgm_name": operation.key, "create_user": "kim"},
            files=_form(files),
            headers={"Idempotency-Key": operation.key.rpartition(" ")[2]},
        )
        operation.pgm_id = str(operation.body.get("pgm_id", "")) if operation.outcome is Outcome.OK else ""
        operation.revision = int(operation.body.get("revision", 0))
        return operation

    async def replace(self, pgm_id: str, files: Files) -> Operation:
        """PUT /v1/programs/.../files"""
        operation = self._begin("replace", pgm_id, pgm_id=pgm_id, files=files)
        who = {"create_user": "kim"}
        await self._ask(operation, "PUT", f"/v1/programs/{pgm_id}/files", data=who, files=_form(files))
        latest = (
            operation.body.get("pending") or operation.body if operation.status == HTTPStatus.OK else operation.body
        )
        operation.revision = int(latest.get("revision", 0))
        return operation

    async def delete(self, pgm_id: str) -> Operation:
        """DELETE /v1/programs/..."""
        operation = self._begin("delete", pgm_id, pgm_id=pgm_id)
        await self._ask(operation, "DELETE", f"/v1/programs/{pgm_id}")
        return operation

    async def add(self, pgm_id: str, note: Note, *, key: str = "") -> Operation:
        """POST /v1/programs/.../documents."""
        operation = self._begin("add", key or uuid4().hex, pgm_id=pgm_id)
        operation.note = note
        await self._ask(
            operation,
            "POST",
            f"/v1/programs/{pgm_id}/documents",
            files={"file": (note.name, note.content)},
            headers={"Idempotency-Key": operation.key},
        )
        operation.document_id = str(operation.body.get("document_id", ""))
        return operation

    async def remove(self, pgm_id: str, document_id: str) -> Operation:
        """DELETE /v1/programs/.../documents/..."""
        operation = self._begin("remove", document_id, pgm_id=pgm_id)
        operation.document_id = document_id
        await self._ask(operation, "DELETE", f"/v1/programs/{pgm_id}/documents/{document_id}")
        return operation

    async def search(self, query: str, pgm_id: str = "") -> Operation:
        """POST /v1/search, in one program or in all; `hits` are the programs that were found."""
        operation = self._begin("search", query, pgm_id=pgm_id)
        scope = {"pgm_id": pgm_id} if pgm_id else {}
        await self._ask(operation, "POST", "/v1/search", json={"query": query, **scope})
        hits = operation.body.get("hits", ())
        operation.hits = tuple(hit["pgm_id"] for hit in hits)
        operation.found = tuple(hit["document_id"] for hit in hits)
        return operation

    async def status(self, pgm_id: str) -> Operation:
        """GET .../indexing."""
        operation = self._begin("status", pgm_id, pgm_id=pgm_id)
        await self._ask(operation, "GET", f"/v1/programs/{pgm_id}/indexing")
        return operation

    def _begin(self, kind: str, key: str, *, pgm_id: str = "", files: Files | None = None) -> Operation:
        operation = Operation(kind=kind, key=key, began_s=time.monotonic(), pgm_id=pgm_id, files=files)
        self.history.operations.append(operation)
        return operation

    async def _ask(self, operation: Operation, method: str, path: str, **what: Any) -> None:
        try:
            answer = await self._http.request(method, path, **what)
        except httpx.TransportError:
            return  # unknown, and so it stays
        operation.ended_s = time.monotonic()
        operation.status = answer.status_code
        operation.retry_after = answer.headers.get("Retry-After", "")
        operation.body = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        if answer.is_success:
            operation.outcome = Outcome.OK
        elif answer.is_client_error:
            operation.outcome = Outcome.FAILED


@asynccontextmanager
async def a_client(url: str, history: History) -> AsyncIterator[Client]:
    """A client of the API at this address."""
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER_WITHIN_S, trust_env=False) as http:
        yield Client(http, history)


def some_files(chance: random.Random, *, logics: int = 0, rungs: int = 0) -> Files:
    """A small upload like no other: one to four logics of one to six rungs, unless said otherwise."""
    device = f"M{chance.randrange(10**8, 10**9)}"
    numbers = range(logics or chance.randint(1, 4))
    return _files(device, {f"{number:04d}_11": _ladder(device, rungs, chance) for number in numbers})


def revised(files: Files, chance: random.Random) -> Files:
    """What its owner made of an upload: a logic changed, or one more; one time in four the same bytes again."""
    if chance.random() < 0.25:
        return files
    number = chance.randint(0, len(files.bodies))
    return _files(files.device, {**files.bodies, f"{number:04d}_11": _ladder(files.device, 0, chance)})


def some_note(chance: random.Random, *, name: str = "") -> Note:
    """A further document like no other, a text or a table, under a name of its own unless told."""
    word = f"spindle{chance.randrange(10**8, 10**9)}"
    name = name or f"점검 {word}.{chance.choice(['md', 'txt', 'csv'])}"
    lines = [f"{word} {number},{chance.randrange(1_000)} bar" for number in range(chance.randint(1, 40))]
    head = "항목,값" if name.endswith(".csv") else f"# {word}\n"
    return Note(name=name, content="\n".join([head, *lines]).encode(), word=word)


def _ladder(device: str, rungs: int, chance: random.Random) -> str:
    return "".join(
        f"{4 * rung},,LD,X{chance.randrange(4096):X},,,\n{4 * rung + 1},,OUT,{device},,,\n"
        for rung in range(rungs or chance.randint(1, 6))
    )


def _files(device: str, bodies: Mapping[str, str]) -> Files:
    archive = archive_of(dict(bodies))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        contents = {logic_id: opened.read(f"{logic_id}.csv") for logic_id in bodies}
    return Files(
        archive=archive,
        template=template_of(("0", "이송부", "", logic_id, f"L{logic_id}") for logic_id in bodies),
        bodies=bodies,
        logics={
            logic_id: Logic(
                sha256=hashlib.sha256(content).hexdigest(),
                size_bytes=len(content),
                rungs=bodies[logic_id].count(",OUT,"),
            )
            for logic_id, content in contents.items()
        },
        device=device,
    )


def _form(files: Files) -> dict[str, tuple[str, bytes]]:
    return {
        "pgm_ladder_zip_file": ("ladder.zip", files.archive),
        "pgm_template_file": ("template.xlsx", files.template),
    }


async def until(holds: Callable[[], Awaitable[bool] | bool], *, within_s: float, what: str = "") -> None:
    """Wait until a question, asked every 20 ms, is answered with yes; an answer may be awaited."""
    give_up_at = time.monotonic() + within_s
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < give_up_at, f"not within {within_s} s: {what or holds}"
        await asyncio.sleep(0.02)
