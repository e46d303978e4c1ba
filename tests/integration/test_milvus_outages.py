"""What the vector index does while its server is down, dead, back again, or silent."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pymilvus.client.connection_manager import AsyncConnectionManager
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

from adapters.milvus.connection import MilvusConnection, MilvusSession
from adapters.milvus.vector_index import MilvusVectorIndex
from contracts.vector_index import DIMENSION, EVERYTHING, add, document, entry, ids, vectors
from domain.errors import MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from real_processes import are_stopped

KEY = IndexKey(model=EmbeddingModel(name="outage", dimension=DIMENSION), rendering_version=1)


class LiteServer:
    """A Milvus Lite server of the test's own, which can be killed, paused and started again on its data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("milvus-lite")
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    "server",
                    "--data-dir",
                    self._folder / "data",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self._port),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while not self._listens():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def index_files(self) -> list[str]:
        return [path.name for path in (self._folder / "data").rglob("*idx")]

    def send(self, number: signal.Signals) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    async def hold(self) -> None:
        """SIGSTOP, until none of its threads can answer any more."""
        assert self.process
        self.send(signal.SIGSTOP)
        give_up_at = time.monotonic() + 10
        while not are_stopped(self.process.pid):
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.005)

    def kill(self) -> None:
        if self.process:
            self.send(signal.SIGKILL)
            self.process.wait(10)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiteServer]:
    server = LiteServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def index(server: LiteServer) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(server.uri, alias="outage", key=KEY, timeout_s=5, search_timeout_s=1)
    yield index
    await index.aclose()


async def test_a_server_that_was_never_there_is_unavailable_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        index = MilvusVectorIndex(f"http://127.0.0.1:{probe.getsockname()[1]}", alias="none", key=KEY, timeout_s=2)
        for call in (
            index.prepare(),
            index.ping(),
            index.dense(vectors([1]), EVERYTHING, limit=1),
            add(index, entry()),
        ):
            begun = time.monotonic()
            with pytest.raises(UnavailableError):
                await call
            assert time.monotonic() - begun < 10
    await index.aclose()


@pytest.mark.parametrize("uri", ["no uri at all", "ftp://127.0.0.1:1"])
async def test_an_address_that_is_no_uri_is_a_misconfiguration(uri: str) -> None:
    index = MilvusVectorIndex(uri, alias="none", key=KEY, timeout_s=2)
    for call in (index.prepare(), index.ping()):
        with pytest.raises(MisconfiguredError):
            await call


async def test_what_was_acknowledged_is_there_after_a_kill_and_found_soon(
    server: LiteServer, index: MilvusVectorIndex
) -> None:
    await index.prepare()
    await add(index, *(entry(number, f"m{number}") for number in range(50)))
    server.kill()
    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await index.dense(vectors([1]), EVERYTHING, limit=5)
        with pytest.raises(UnavailableError):
            await index.ping()
    assert time.monotonic() - begun < 6
    await asyncio.to_thread(server.start)
    assert await _seconds_until_found(index) < 3
    assert len(await index.chunk_ids([document()])) == 50


async def test_no_kill_while_it_writes_leaves_a_collection_that_cannot_be_loaded(
    server: LiteServer, index: MilvusVectorIndex
) -> None:
    # Milvus Lite writes the files of most indexes in place, in the background, some 10 ms after a flush.
    await index.prepare()
    for number in range(4):
        await add(index, *(entry(ordinal, f"m{ordinal}") for ordinal in range(number * 400, (number + 1) * 400)))
        await asyncio.sleep(number * 0.005)
        server.kill()
        await asyncio.to_thread(server.start)
        assert await _seconds_until_found(index) < 5
    assert len(await index.chunk_ids([document()])) == 1_600
    assert server.index_files() == []


async def test_a_silent_server_is_unavailable_in_time_and_leaves_the_event_loop_free(
    server: LiteServer, index: MilvusVectorIndex
) -> None:
    await index.prepare()
    await add(index, entry(7, "m7"))
    await server.hold()
    begun = time.monotonic()
    searching = asyncio.gather(
        *(index.dense(vectors([1]), EVERYTHING, limit=5) for _ in range(5)), index.ping(), return_exceptions=True
    )
    assert await _longest_pause_until(searching) < 0.6
    outcomes = await searching
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes), outcomes
    assert time.monotonic() - begun < 4
    server.send(signal.SIGCONT)
    assert await _seconds_until_found(index) < 5


async def test_a_session_that_is_given_up_still_serves_those_who_use_it(server: LiteServer) -> None:
    connection = MilvusConnection(server.uri, token="", database="")
    async with connection.session(timeout_s=5) as first:
        with pytest.raises(UnavailableError):
            await _lose(connection, first)
        assert await first.client.list_collections(timeout=2) == []
        async with connection.session(timeout_s=5) as third:
            assert third is not first
    await connection.aclose()


async def test_whatever_a_caller_waits_for_on_a_session_ends_in_time(server: LiteServer) -> None:
    connection = MilvusConnection(server.uri, token="", database="")
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="in time"):
        await _wait_for_ever(connection)
    assert time.monotonic() - begun < 5
    await connection.aclose()


async def _wait_for_ever(connection: MilvusConnection) -> None:
    async with connection.session(timeout_s=1):
        await asyncio.Event().wait()


async def _lose(connection: MilvusConnection, expected: MilvusSession) -> None:
    async with connection.session(timeout_s=5) as session:
        assert session is expected
        raise TimeoutError


async def _seconds_until_found(index: MilvusVectorIndex) -> float:
    begun = time.monotonic()
    while time.monotonic() - begun < 30:
        try:
            if ids(await index.lexical(["m7"], EVERYTHING, limit=5)) == ["D1.g1.7"]:
                break
        except UnavailableError:
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def _longest_pause_until(done: "asyncio.Future[Any]") -> float:
    longest = 0.0
    while not done.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    return longest


class HalfAlive(milvus_pb2_grpc.MilvusServiceServicer):  # type: ignore[misc] # generated, without types
    """Lets clients connect and says nothing more."""

    async def Connect(self, request: object, context: object) -> object:  # noqa: N802 - the protocol's name
        return milvus_pb2.ConnectResponse(status=common_pb2.Status(), identifier=1)

    async def GetVersion(self, request: object, context: object) -> None:  # noqa: N802 - the protocol's name
        await asyncio.sleep(30)


async def test_failed_connects_leave_no_connection_behind() -> None:
    server = grpc.aio.server()
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(HalfAlive(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    index = MilvusVectorIndex(f"http://127.0.0.1:{port}", alias="n", key=KEY, timeout_s=0.3)
    for _ in range(5):
        with pytest.raises(UnavailableError):
            await index.ping()
    kept = len(AsyncConnectionManager.get_instance()._dedicated)
    await index.aclose()
    await server.stop(0)
    assert kept == 0
