"""The Milvus 2.3.5 of the `milvus` wheel: a real server, and one of those without BM25.

It listens on every interface and on fixed ports, and nothing can tell it otherwise. So it gets a network
namespace of its own, out of which nothing leads but a Unix socket.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from entrypoints.embedded.component import Component

_UNSHARE = (shutil.which("unshare") or "", "--user", "--map-root-user", "--net")
_ROOM_OF_HOST = Path(__file__).with_name("milvus_235_host.py")


def why_it_cannot_start() -> str:
    """Empty where it can."""
    if find_spec("milvus") is None:
        return "the wheel with Milvus 2.3.5 is for Linux on x86-64 alone"
    if not _UNSHARE[0]:
        return "there is no unshare to make a network namespace with"
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, timeout=10, check=False)
    return "this machine allows no network namespace" if tried.returncode else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Milvus235:
    """The server with its data in `folder`, whose path must be short: that of a Unix socket has 107 bytes."""

    folder: Path

    @property
    def uri(self) -> str:
        """How clients reach it."""
        return f"unix:{self._socket}"

    @property
    def _socket(self) -> Path:
        return self.folder / "socket"

    def component(self) -> Component:
        """The server as a program to be started. Unpacked it is 200 MB; start-up takes some 10 s."""
        return Component(
            name="milvus 2.3.5",
            command=[*_UNSHARE, sys.executable, "-P", str(_ROOM_OF_HOST), str(self.folder), str(self._socket)],
            log=self.folder / "log",
            ready=self._ready,
            start_s=120.0,
            grace_s=20.0,
        )

    async def _ready(self) -> str:
        return "" if self._socket.exists() else "its socket"
