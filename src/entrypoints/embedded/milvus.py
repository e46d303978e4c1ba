"""The embedded Milvus Lite, as a server of its own process: its Python engine must not share the API's."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from entrypoints.embedded.component import Component
from entrypoints.embedded.folders import private_folder
from entrypoints.embedded.ports import LOOPBACK, require_usable

_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MilvusServer:
    """A Milvus Lite on loopback that keeps its data in `folder`. It knows no passwords."""

    folder: Path
    port: int
    log: Path

    @property
    def uri(self) -> str:
        """How clients reach it."""
        return f"http://{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Make the folder."""
        private_folder(self.folder)
        require_usable(self.port)

    def component(self) -> Component:
        """The server as a program to be started."""
        where = ["--data-dir", str(self.folder), "--host", LOOPBACK, "--port", str(self.port)]
        return Component(
            name="milvus",
            # Not the script in bin: its first line holds an absolute path that may be too long for the kernel.
            command=[sys.executable, "-P", "-m", "milvus_lite", "server", *where],
            environment={**os.environ, "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"},
            log=self.log,
            prepare=self.prepare,
            ready=self._ready,
            address=f"{LOOPBACK}:{self.port}",
            stop_signal=signal.SIGINT,  # the one on which it closes its files
            start_s=60.0,
        )

    async def _ready(self) -> str:
        # It listens after its data is open (run_server in milvus_lite/adapter/grpc/server.py).
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, self.port), _ANSWER_S)
        except (OSError, TimeoutError) as error:
            return str(error) or "an answer"
        writer.close()
        return ""
