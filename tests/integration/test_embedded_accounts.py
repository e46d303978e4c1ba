import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from entrypoints.embedded import postgres
from entrypoints.embedded.child import Child, launched
from entrypoints.embedded.component import Account
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from real_processes import lives, status_of

_needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave and close folders to others")


@_needs_root
async def test_postgres_starts_for_root_although_project_and_data_lie_in_a_folder_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("PG_BIN", str(_copied_programs(closed)))

    status = await _status_while_running(closed)

    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == 1 << 1  # CAP_DAC_OVERRIDE and nothing else


@_needs_root
async def test_postgres_gets_no_capability_where_it_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with _open_folder() as folder:
        monkeypatch.setenv("PG_BIN", str(_copied_programs(folder)))

        status = await _status_while_running(folder)

    assert "0" not in status["Uid"].split()
    assert int(status["CapPrm"], 16) == 0


@_needs_root
def test_a_root_without_capabilities_is_told_what_is_out_of_reach(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    bare_root = ["setpriv", "--bounding-set=-all,+setuid,+setgid", "--inh-caps=-all"]
    order = launched(
        ["/bin/true"],
        death_signal=signal.SIGKILL,
        account=Account(user_id=65534, group_id=65534, reach=[closed]),
    )
    order[order.index("--parent") + 1] = str(os.getpid())

    ended = subprocess.run([*bare_root, *order], capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "start as an ordinary user" in ended.stderr


# Starts the three servers in the folder that it is told, says their process ids, and waits.
_THREE_SERVERS = """
import asyncio, sys, time
from pathlib import Path
from entrypoints.embedded.child import Child, launched
from entrypoints.embedded.milvus import MilvusServer
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from entrypoints.embedded.valkey import ValkeyServer

folder = Path(sys.argv[1])
logs = iter([folder / "1.log", folder / "2.log", folder / "3.log"])
servers = (
    PostgresServer(folder=folder / "postgres", port=free_port(), password="right", log=next(logs), durable=False),
    ValkeyServer(folder=folder / "valkey", port=free_port(), password="right", log=next(logs)),
    MilvusServer(folder=folder / "milvus", port=free_port(), log=next(logs)),
)
async def main():
    for server in servers:
        component = server.component()
        component.prepare()
        child = Child(component)
        await child.until_ready()
        print(child.pid, flush=True)
asyncio.run(main())
time.sleep(60)
"""


def test_servers_end_with_whoever_started_them_even_by_kill_9(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", _THREE_SERVERS, str(tmp_path)], env=_with_our_packages(), stdout=subprocess.PIPE
    )
    _assert_three_servers_end_with(starter)


@_needs_root
def test_servers_start_and_end_for_an_ordinary_user() -> None:
    nobody = pwd.getpwnam("nobody")
    with _open_folder() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        starter = subprocess.Popen(
            [_interpreter_for(nobody), "-c", _THREE_SERVERS, str(folder)],
            env=_with_our_packages() | {"HOME": str(folder)},
            cwd=folder,
            stdout=subprocess.PIPE,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
        )
        _assert_three_servers_end_with(starter)


def _assert_three_servers_end_with(starter: subprocess.Popen[bytes]) -> None:
    with starter:
        assert starter.stdout is not None
        process_ids = [int(starter.stdout.readline()) for _ in range(3)]
        assert all(map(lives, process_ids))
        starter.kill()
    give_up_at = time.monotonic() + 15
    while any(map(lives, process_ids)) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert not any(map(lives, process_ids))


def _with_our_packages() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _interpreter_for(account: pwd.struct_passwd) -> str:
    """Ours may lie in a home that is closed to others; then the system's of the same version."""
    for candidate in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        try:
            tried = subprocess.run(
                [candidate, "-c", "import asyncpg, entrypoints, milvus_lite"],
                env=_with_our_packages(),
                cwd="/",
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                capture_output=True,
                timeout=60,
                check=False,
            )
        except PermissionError:
            continue
        if tried.returncode == 0:
            return candidate
    pytest.skip("no Python of this version, or not our packages, can be reached by an ordinary user")


def _copied_programs(folder: Path) -> Path:
    """Postgres' programs, with the libraries that they look for beside their package."""
    package = Path(postgres._program("postgres")).parents[2]
    shutil.copytree(package, folder / package.name)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


async def _status_while_running(folder: Path) -> dict[str, str]:
    """What the kernel says of a Postgres with its data in the folder, once it has answered."""
    server = PostgresServer(
        folder=folder / "postgres", port=free_port(), password="right", log=folder / "postgres.log", durable=False
    )
    component = server.component()
    component.prepare()
    child = Child(component)
    try:
        await child.until_ready()
        return status_of(child.pid)
    finally:
        await child.end()


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that every account can reach; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="ladderbase-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
