import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import asyncpg
import pytest
from pymilvus import MilvusClient
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from entrypoints.embedded import postgres
from entrypoints.embedded.child import Child
from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.milvus import MilvusServer
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from entrypoints.embedded.valkey import ValkeyServer

_LOOPBACK = "0100007F"
_LOOPBACK_AS_IPV6 = "0000000000000000FFFF00000100007F"


def postgres_in(folder: Path) -> PostgresServer:
    return PostgresServer(
        folder=folder / "postgres", port=free_port(), password="right", log=folder / "postgres.log", durable=False
    )


def valkey_in(folder: Path) -> ValkeyServer:
    return ValkeyServer(folder=folder / "valkey", port=free_port(), password="right", log=folder / "valkey.log")


def milvus_in(folder: Path) -> MilvusServer:
    return MilvusServer(folder=folder / "milvus", port=free_port(), log=folder / "milvus.log")


@asynccontextmanager
async def running(component: Component) -> AsyncIterator[Child]:
    component.prepare()
    child = Child(component)
    try:
        await child.until_ready()
        yield child
    finally:
        await child.end()


async def killed(child: Child) -> None:
    os.kill(child.pid, signal.SIGKILL)
    await child.ended()


async def query(url: str, statement: str) -> str:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return str(await connection.fetchval(statement, timeout=5))
    finally:
        await connection.close(timeout=5)


async def test_a_killed_postgres_comes_back_on_its_port_with_what_was_committed(tmp_path: Path) -> None:
    server = postgres_in(tmp_path)
    async with running(server.component()) as child:
        await query(server.url, "CREATE TABLE kept AS SELECT 'Förderband 컨베이어' AS said")
        await killed(child)

    async with running(server.component()):
        assert await query(server.url, "SELECT said FROM kept") == "Förderband 컨베이어"


async def test_a_killed_valkey_comes_back_on_its_port_with_what_it_held(tmp_path: Path) -> None:
    server = valkey_in(tmp_path)
    async with running(server.component()) as child, Redis.from_url(server.url) as client:
        await client.set("kept", "M1234")
        await asyncio.sleep(0)
        await killed(child)

    async with running(server.component()), Redis.from_url(server.url) as client:
        assert await client.get("kept") == b"M1234"


async def test_a_killed_milvus_comes_back_on_its_port_with_what_it_held(tmp_path: Path) -> None:
    server = milvus_in(tmp_path)
    async with running(server.component()) as child:
        await asyncio.to_thread(_fill, server.uri)
        await killed(child)

    async with running(server.component()):
        assert await asyncio.to_thread(_collections, server.uri) == ["kept"]


async def test_servers_listen_on_loopback_alone(tmp_path: Path) -> None:
    for server in (postgres_in(tmp_path), valkey_in(tmp_path), milvus_in(tmp_path)):
        async with running(server.component()):
            assert _listening_addresses(server.port) <= {_LOOPBACK, _LOOPBACK_AS_IPV6}


async def test_postgres_wants_the_password(tmp_path: Path) -> None:
    server = postgres_in(tmp_path)
    async with running(server.component()):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await query(server.url.replace(":right@", ":wrong@"), "SELECT 1")


async def test_valkey_wants_the_password(tmp_path: Path) -> None:
    server = valkey_in(tmp_path)
    async with running(server.component()), Redis.from_url(server.url.replace(":right@", ":wrong@")) as client:
        with pytest.raises(AuthenticationError):
            await client.ping()


async def test_korean_sorts_by_the_alphabet_whatever_the_machine_speaks(tmp_path: Path) -> None:
    server = postgres_in(tmp_path)
    async with running(server.component()):
        sorted_words = await query(
            server.url, "SELECT string_agg(w, ' ' ORDER BY w) FROM unnest(ARRAY['하강', '가동', '나사']) AS w"
        )
        assert sorted_words == "가동 나사 하강"


async def test_a_lock_file_whose_process_id_is_somebody_elses_by_now_does_not_keep_postgres_down(
    tmp_path: Path,
) -> None:
    server = postgres_in(tmp_path)
    async with running(server.component()) as child:
        lock_file = server.folder / "cluster" / "postmaster.pid"
        left_behind = lock_file.read_text()
        await killed(child)

    with _stranger(server) as process_id:
        lock_file.write_text(left_behind.replace(str(child.pid), str(process_id), 1))
        async with running(server.component()):
            assert await query(server.url, "SELECT 1") == "1"


async def test_an_initdb_that_was_killed_half_way_is_done_again(tmp_path: Path) -> None:
    server = postgres_in(tmp_path)
    (server.folder / "cluster.new" / "base").mkdir(parents=True)

    async with running(server.component()):
        assert await query(server.url, "SELECT 1") == "1"


async def test_a_server_that_cannot_start_says_why_in_the_words_of_its_log(tmp_path: Path) -> None:
    server = valkey_in(tmp_path)
    server.prepare()
    server._configuration.write_text("maxmemory-policy forgetful\n")
    child = Child(server.component())

    with pytest.raises(StartError, match=r"(?s)valkey ended with exit code 1.*forgetful"):
        await child.until_ready()


def test_a_port_that_somebody_else_took_is_named_before_the_start(tmp_path: Path) -> None:
    for server in (postgres_in(tmp_path), valkey_in(tmp_path), milvus_in(tmp_path)):
        expected = pytest.raises(StartError, match=f"port {server.port} cannot be used: Address already in use")
        with socket.create_server(("127.0.0.1", server.port)), expected:
            server.prepare()


async def test_pg_bin_chooses_another_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "bin"
    chosen.symlink_to(Path(postgres._program("postgres")).parent)
    monkeypatch.setenv("PG_BIN", str(chosen))

    server = postgres_in(tmp_path)

    assert server.component().command[0] == str(chosen / "postgres")
    async with running(server.component()):
        assert await query(server.url, "SELECT 1") == "1"


@contextmanager
def _stranger(server: PostgresServer) -> Iterator[int]:
    """A process of another program under the account that Postgres runs as."""
    owner = (server.folder / "cluster").stat().st_uid
    with subprocess.Popen(["/bin/sleep", "60"], user=owner if owner != os.geteuid() else None) as stranger:
        yield stranger.pid
        stranger.kill()


def _fill(uri: str) -> None:
    with closing(MilvusClient(uri)) as client:
        client.create_collection("kept", dimension=2)
        client.insert("kept", [{"id": 1, "vector": [0.0, 1.0]}])


def _collections(uri: str) -> list[str]:
    with closing(MilvusClient(uri)) as client:
        return list(client.list_collections())


def _listening_addresses(port: int) -> set[str]:
    """Local addresses, as the kernel writes them, of sockets that listen on the port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and local.endswith(f":{port:04X}"):
                found.add(local.partition(":")[0])
    return found
