"""The running service as the target of hostile input, and the one checker of what it must do with each."""

import asyncio
import http.client
import json
import os
import re
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from bad_inputs.matrix import MATRIX, Refusal
from builders.archives import Entry, a_zip
from builders.forms import CONTENT_TYPE, a_form, part
from builders.product import Product, Program
from builders.uploads import DOOR, ladder_csv
from builders.workbooks import a_template
from real_processes import cpu_s_of, descendants_of, status_of

MEBIBYTE = 1024 * 1024
MOST_S, MOST_TREE_BYTES = 2.0, 256 * MEBIBYTE
MOST_BOMB_S, MOST_BOMB_BYTES = 1.0, 64 * MEBIBYTE
_SAMPLE_S = 0.01
_SETTLED_S = 5.0
_LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|SELECT |INSERT |sqlalchemy|asyncpg|litestar|msgspec|uvicorn|h11"
    r"|calamine|expat|openpyxl|pandas|zlib|struct\.error|codec|postgres|redis|milvus",
    re.IGNORECASE,
)
GOOD_LADDER = ladder_csv(DOOR)
GOOD_COMMENTS = "Device Name,Comment\r\nX1,도어 스위치\r\nY5,도어 잠금\r\n".encode()
GOOD_ENTRY = Entry(name=b"0000_11.csv", content=GOOD_LADDER)
GOOD_ZIP = a_zip(GOOD_ENTRY)
GOOD_TEMPLATE = a_template("0000_11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request. A `raw` one goes over a socket of its own as it stands; the others through an HTTP client.

    `hangs_up` ends the sending side behind the last byte. The others bring the key of the target, unless they have an
    Authorization of their own.
    """

    path: str = "/v1/programs"
    method: str = "POST"
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    hangs_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; status 0 where the connection was closed without a word."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in it."""
        body: dict[str, Any] = json.loads(self.text)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request cost: seconds, CPU seconds of the API itself, extra bytes of the API and of it with children."""

    wall_s: float
    cpu_s: float
    api_bytes: int
    tree_bytes: int


def upload(
    ladder_zip: bytes | None = None,
    template: bytes | None = None,
    comments: bytes | None = None,
    *,
    zip_name: str = "ladder.zip",
    template_name: str = "template.xlsx",
    comments_name: str = "comment.csv",
) -> Sent:
    """A registration with these files, good ones for those that are not given."""
    parts = [
        part("pgm_ladder_zip_file", GOOD_ZIP if ladder_zip is None else ladder_zip, zip_name),
        part("pgm_template_file", GOOD_TEMPLATE if template is None else template, template_name),
    ]
    if comments is not None:
        parts.append(part("pgm_comment_file", comments, comments_name))
    return a_request(a_form(*parts))


def a_request(form: bytes, **headers: str) -> Sent:
    """A registration with this body."""
    return Sent(body=form, headers={"Content-Type": CONTENT_TYPE} | headers)


def document(name: str | None, content: bytes, *, to: str = "PGM_1", headers: str = "", **texts: str) -> Sent:
    """A further document of the first program."""
    form = a_form(part("file", content, name, headers=headers), texts=texts)
    return Sent(path=f"/v1/programs/{to}/documents", body=form, headers={"Content-Type": CONTENT_TYPE})


def webhook(body: object, *, path: str = "", method: str = "POST") -> Sent:
    """A request about webhooks; a body that is no text is sent as JSON."""
    content = body if isinstance(body, str) else json.dumps(body)
    return Sent(
        path=f"/v1/webhooks{path}",
        method=method,
        body=content.encode(),
        headers={"Content-Type": "application/json"},
    )


def ladder(content: bytes) -> Sent:
    """A registration whose one ladder CSV is this."""
    return upload(a_zip(Entry(name=b"0000_11.csv", content=content)))


def question(body: bytes | str) -> Sent:
    """A search with this body."""
    content = body.encode() if isinstance(body, str) else body
    return Sent(path="/v1/search", body=content, headers={"Content-Type": "application/json"})


class Target:
    """One API process and the back doors to all that it may leave behind."""

    def __init__(self, product: Product, api: Program, key: str) -> None:
        self.url = urlsplit(api.url)
        self._api = api.process.pid
        self._folder = product.folder
        self.followed_up: set[object] = set()
        self._costs: list[tuple[int, Cost, bool]] = []
        self.given: defaultdict[int, set[Refusal]] = defaultdict(set)
        self._key = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=api.url, timeout=30, trust_env=False)
        self._runner = asyncio.Runner()
        self._database = self._runner.run(asyncpg.connect(product.settings["DATABASE_URL"], timeout=10))

    def close(self) -> None:
        self._client.close()
        self._runner.run(self._database.close())
        self._runner.close()

    def refuses(self, case: int, sent: Sent, code: str = "", *, is_bomb: bool = False) -> dict[str, Any]:
        """Send it: it gets a code and status of its case, costs little, leaks nothing and leaves nothing."""
        before = self._everything()
        answer, cost = self.send(sent)
        self._until_settled(before)
        assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (
            "application/problem+json",
            "nosniff",
        )
        assert answer.headers["content-language"] == sent.headers.get("Accept-Language", "en")
        body = answer.body
        assert (body["code"], answer.status) in MATRIX[case].refusals, answer.text
        assert not code or body["code"] == code, answer.text
        self.given[case].add((body["code"], answer.status))
        assert body["status"] == answer.status
        assert body["request_id"] == answer.headers["x-request-id"] != ""
        assert body["title"].endswith(".")
        assert body["detail"]
        self._refuse_leaks(answer.text)
        self._check_cost(case, cost, is_bomb=is_bomb)
        return body

    def accepts(self, case: int, sent: Sent, status: int = 201) -> dict[str, Any]:
        """Send it: it is taken, as its case allows, and costs little."""
        assert MATRIX[case].seen
        answer, cost = self.send(sent)
        assert answer.status == status, answer.text
        self._check_cost(case, cost)
        assert self._files("scratch") == set()
        return answer.body if answer.text else {}

    def drops(self, case: int, raw: bytes) -> None:
        """Send it and close the sending side: the connection is closed without an answer, and nothing is left."""
        assert MATRIX[case].seen
        before = self._everything()
        answer, cost = self.send(Sent(raw=raw, hangs_up=True))
        assert answer.status == 0, answer.text
        self._until_settled(before)
        self._check_cost(case, cost)

    def works(self) -> None:
        """A good upload is registered."""
        answer, _ = self.send(upload(comments=GOOD_COMMENTS))
        assert answer.status == 201, answer.text

    def figures(self) -> str:
        """The worst of everything that was sent, each with its case."""
        wall_s, slowest = max((cost.wall_s, case) for case, cost, _ in self._costs)
        tree_bytes, largest = max((cost.tree_bytes, case) for case, cost, _ in self._costs)
        bombs = [(cost.api_bytes, cost.wall_s, case) for case, cost, is_bomb in self._costs if is_bomb]
        words = [
            f"bad inputs: {len(self._costs)} sent; the slowest took {wall_s:.2f} s (case {slowest})",
            f"the largest {tree_bytes / MEBIBYTE:.0f} MiB more (case {largest})",
        ]
        if bombs:
            words.append(
                f"bombs at most {max(wall_s for _, wall_s, _ in bombs):.2f} s"
                f" and {max(bombs)[0] / MEBIBYTE:.0f} MiB of the API itself (case {max(bombs)[2]})"
            )
        return ", ".join(words)

    def content_of(self, document_id: str) -> bytes:
        """A stored document's bytes."""
        return self._get(f"/v1/documents/{document_id}/content").content

    def logic_name_in(self, pgm_id: str) -> str:
        """The name of the one logic in a program's template."""
        folders = self._get(f"/v1/programs/{pgm_id}/template").json()["folders"]
        return str(folders[0]["sub_folders"][0]["logics"][0]["logic_name"])

    def send(self, sent: Sent) -> tuple[Answer, Cost]:
        """Send it and measure."""
        with self._measured() as costs:
            answer = self._send_raw(sent) if sent.raw else self._send(sent)
        return answer, costs[0]

    def raw_head(self, length: int | str, content_type: str = CONTENT_TYPE) -> bytes:
        """The head of a registration as bytes, with any Content-Length."""
        return (
            f"POST /v1/programs HTTP/1.1\r\nHost: {self.url.netloc}\r\nContent-Type: {content_type}\r\n"
            f"Authorization: {self._key['Authorization']}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    def _get(self, path: str) -> httpx.Response:
        return self._client.get(path, headers=self._key).raise_for_status()

    def _send(self, sent: Sent) -> Answer:
        headers = {**self._key, **sent.headers}
        answer = self._client.request(sent.method, sent.path, content=sent.body, headers=headers)
        return Answer(status=answer.status_code, headers=answer.headers, text=answer.text)

    def _send_raw(self, sent: Sent) -> Answer:
        address = (str(self.url.hostname), int(self.url.port or 0))
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(sent.raw)
            if sent.hangs_up:
                connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection)
            try:
                answer.begin()
                text = answer.read().decode()
            except (http.client.BadStatusLine, ConnectionResetError):
                return Answer(status=0, headers={}, text="")
            headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(status=answer.status, headers=headers, text=text)

    @contextmanager
    def _measured(self) -> Iterator[list[Cost]]:
        costs: list[Cost] = []
        Path(f"/proc/{self._api}/clear_refs").write_text("5")  # the peak counts from here
        api_bytes, tree_bytes, cpu_s = _peak_bytes(self._api), self._tree_bytes(), cpu_s_of(self._api)
        peak, stopped = [tree_bytes], threading.Event()

        def sample() -> None:
            while not stopped.wait(_SAMPLE_S):
                peak.append(self._tree_bytes())

        sampler = threading.Thread(target=sample)
        sampler.start()
        started = time.perf_counter()
        try:
            yield costs
        finally:
            wall_s = time.perf_counter() - started
            stopped.set()
            sampler.join()
        costs.append(
            Cost(
                wall_s=wall_s,
                cpu_s=cpu_s_of(self._api) - cpu_s,
                api_bytes=_peak_bytes(self._api) - api_bytes,
                tree_bytes=max(peak) - tree_bytes,
            )
        )

    def _tree_bytes(self) -> int:
        return sum(map(_resident_bytes, (self._api, *descendants_of(self._api))))

    def _everything(self) -> tuple[dict[str, int], set[str], set[str]]:
        """How many rows each table has, and the names of all files."""
        return self._runner.run(_row_counts(self._database)), self._files("blobs"), self._files("scratch")

    def _files(self, folder: str) -> set[str]:
        """Of files and of folders: an empty one is left behind too."""
        return {
            f"{place}/{name}" for place, *inside in os.walk(self._folder / folder) for names in inside for name in names
        }

    def _until_settled(self, before: object) -> None:
        """What a client that went away has left is removed within moments, all else at once."""
        give_up_at = time.monotonic() + _SETTLED_S
        while (now := self._everything()) != before:
            assert time.monotonic() < give_up_at, f"left behind: {now} instead of {before}"
            time.sleep(0.02)

    def _check_cost(self, case: int, cost: Cost, *, is_bomb: bool = False) -> None:
        self._costs.append((case, cost, is_bomb))
        assert cost.wall_s < (MOST_BOMB_S if is_bomb else MOST_S), cost
        assert cost.tree_bytes < MOST_TREE_BYTES, cost
        assert not is_bomb or cost.api_bytes < MOST_BOMB_BYTES, cost

    def _refuse_leaks(self, text: str) -> None:
        assert not _LEAKS.search(text), text
        for secret in (str(self._folder), sys.prefix, str(Path(__file__).parents[2])):
            assert secret not in text, text


async def _row_counts(database: asyncpg.Connection) -> dict[str, int]:
    tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    counts = [f"SELECT '{table}' AS name, count(*) FROM {table}" for (table,) in tables]  # noqa: S608 - our own tables
    return {row["name"]: row["count"] for row in await database.fetch(" UNION ALL ".join(counts))}


def _peak_bytes(process_id: int) -> int:
    return int(status_of(process_id)["VmHWM"].split()[0]) * 1024


def _resident_bytes(process_id: int) -> int:
    try:
        return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * 4096
    except (FileNotFoundError, ProcessLookupError):
        return 0
