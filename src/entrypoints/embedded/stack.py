"""The whole product on one machine: its servers, its API and its worker, each a process under supervision."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from application.check_readiness import WaitsBecause
from entrypoints.embedded.addresses import addresses_kept
from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.data_folder import held
from entrypoints.embedded.folders import kept_secret
from entrypoints.embedded.guard import Guard
from entrypoints.embedded.milvus import MilvusServer
from entrypoints.embedded.ports import LOOPBACK, free_port, problem_with, require_usable
from entrypoints.embedded.postgres import PostgresServer
from entrypoints.embedded.supervisor import RestartPolicy, Supervisor
from entrypoints.embedded.valkey import ValkeyServer

_ANSWER_S = 5.0
_SERVES_S = 120.0
_BUILDS_S = 3_600.0
_POLL_S = 0.1
_PORT_CHOICES = 3
# The worker embeds by the batch and gains from a second thread (850 texts/s against 580); a query does not.
_EMBEDDING_THREADS = str(min(os.cpu_count() or 1, 4))
_KILLED = 130
_SHARED = (
    *("DATABASE_URL", "REDIS_URL", "MILVUS_URI", "MILVUS_TOKEN", "MILVUS_DATABASE", "MILVUS_CA_FILE"),
    *("STORAGE_TYPE", "STORAGE_LOCAL_ROOT", "SCRATCH_DIR"),
)

Say = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Print one line of what happens."""
    with suppress(OSError):  # the terminal may be closed: no reason to leave programs behind
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - whoever runs it reads this


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalPorts:
    """Where the servers listen; known to nobody but this product."""

    postgres: int
    valkey: int
    milvus: int
    metrics: int

    @staticmethod
    def chosen() -> "InternalPorts":
        """Ports that are free now."""
        return InternalPorts(postgres=free_port(), valkey=free_port(), milvus=free_port(), metrics=free_port())

    @property
    def are_free(self) -> bool:
        """Whether all of them are free now."""
        return not any(map(problem_with, (self.postgres, self.valkey, self.milvus, self.metrics)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedStack:
    """The product with its data in `data_dir`, its API on `port` of loopback."""

    data_dir: Path
    port: int
    choose_ports: Callable[[], InternalPorts] = InternalPorts.chosen
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    settings: Mapping[str, str] = field(default_factory=dict)
    """What counts here, whatever the caller's environment says."""

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{LOOPBACK}:{self.port}"

    def components(self, ports: InternalPorts) -> tuple[Component, ...]:
        """Everything in the order of its start."""
        folder = self.data_dir.absolute()
        postgres = PostgresServer(
            folder=folder / "postgres",
            port=ports.postgres,
            password=kept_secret(folder / "secrets" / "postgres"),
            log=_log(folder, "postgres"),
        )
        valkey = ValkeyServer(
            folder=folder / "valkey",
            port=ports.valkey,
            password=kept_secret(folder / "secrets" / "valkey"),
            log=_log(folder, "valkey"),
        )
        milvus = MilvusServer(folder=folder / "milvus", port=ports.milvus, log=_log(folder, "milvus"))
        settings = self._settings(folder) | {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "MILVUS_URI": milvus.uri,
            "WORKER_METRICS_HOST": LOOPBACK,
            "WORKER_METRICS_PORT": os.environ.get("WORKER_METRICS_PORT") or str(ports.metrics),
        }
        migrate, api, worker = self._own_programs(folder, {**os.environ, **settings})
        worker = replace(worker, environment={**worker.environment, "OPENBLAS_NUM_THREADS": _EMBEDDING_THREADS})
        return (postgres.component(), migrate, valkey.component(), milvus.component(), api, worker)

    async def alive(self) -> str:
        """Empty once the API answers at all, else what it waits for."""
        return await _asked(f"{self.url}/healthz")

    async def ready(self) -> str:
        """Empty once an upload would be accepted and searched, else what it waits for."""
        return await _asked(f"{self.url}/readyz")

    def _settings(self, folder: Path) -> dict[str, str]:
        return {
            "STORAGE_TYPE": "local",
            "STORAGE_LOCAL_ROOT": str(folder / "blobs"),
            "HOST": LOOPBACK,
            "PORT": str(self.port),
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(folder / "spool"),
            # What the caller's environment says of other servers is not meant for these; blank is unset.
            "SCRATCH_DIR": "",
            "SHUTDOWN_DELAY_S": "",
            "MILVUS_TOKEN": "",
            "MILVUS_DATABASE": "",
            "MILVUS_CA_FILE": "",
            # There is one worker, and nobody else to rebuild what a changed model needs.
            "INDEX_FOLLOWS_MODEL": "true",
            **self.settings,
        }

    def _own_programs(self, folder: Path, environment: dict[str, str]) -> tuple[Component, Component, Component]:
        def program(name: str, *arguments: str) -> Component:
            return Component(
                name=name,
                command=[sys.executable, "-P", "-m", *arguments],
                environment=environment,
                log=_log(folder, name),
                start_s=120.0,
                grace_s=35.0,  # longer than the API's for requests in flight
            )

        migrate = replace(program("migrate", "entrypoints.cli.main", "migrate"), one_shot=True)
        api = replace(program("api", "entrypoints.api.main"), ready=self.alive, address=f"{LOOPBACK}:{self.port}")
        return migrate, api, program("worker", "entrypoints.worker")


@asynccontextmanager
async def running(stack: EmbeddedStack, *, say: Say = to_stderr) -> AsyncIterator[str]:
    """The product, from its being ready until the end of the block; answers the base URL of its API.

    Raises:
        StartError: it did not come up, or (in the middle of the block) one part of it does not stay up.
    """
    if not stack.data_dir.exists():
        require_usable(stack.port)  # before a folder is made for nothing
    async with held(stack.data_dir) as lock:
        require_usable(stack.port)  # only now: a killed predecessor's API may drain on that port until then
        async with _started(stack, lock, say) as supervisor, _watched(supervisor):
            await _until_ready(stack)
            yield stack.url


async def run(stack: EmbeddedStack, *, on_ready: Callable[[str], None], say: Say = to_stderr) -> int:
    """Keep the product up until SIGINT, SIGTERM or SIGHUP; a second one kills. Answers the exit code."""

    async def serve() -> None:
        async with running(stack, say=say) as url:
            on_ready(url)
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    with _cancelled_by_signals(serving) as signals:
        await asyncio.wait({serving})
    if serving.cancelled():
        say("stopped" if len(signals) == 1 else "killed")
        return 0 if len(signals) == 1 else _KILLED
    if isinstance(error := serving.exception(), StartError):
        say(str(error))
        return 1
    serving.result()
    return 0


@asynccontextmanager
async def _started(stack: EmbeddedStack, lock: int, say: Say) -> AsyncIterator[Supervisor]:
    guard = Guard(held=[lock])
    try:
        supervisor, components = await _brought_up(stack, guard, say)
        try:
            with addresses_kept(stack.data_dir, _addresses(components)):
                yield supervisor
        finally:
            await supervisor.stop()
    finally:
        guard.dismiss()


def _addresses(components: Sequence[Component]) -> dict[str, str]:
    """What a process started beside these needs to work on the same data."""
    workers = (component for component in components if component.name == "worker")
    return {name: worker.environment[name] for worker in workers for name in _SHARED}


async def _brought_up(stack: EmbeddedStack, guard: Guard, say: Say) -> tuple[Supervisor, Sequence[Component]]:
    choices_left = _PORT_CHOICES
    while True:
        ports = stack.choose_ports()
        supervisor = Supervisor(guard=guard, say=say, policy=stack.restarts)
        components = stack.components(ports)
        try:
            await supervisor.start(components)
        except StartError:
            await supervisor.stop()
            choices_left -= 1
            if ports.are_free or not choices_left:
                raise
            say("somebody else took an internal port: starting again on others")
        except asyncio.CancelledError:
            await supervisor.stop()
            raise
        else:
            return supervisor, components


@asynccontextmanager
async def _watched(supervisor: Supervisor) -> AsyncIterator[None]:
    """Restart what dies during the block, and break off the block where that does not help.

    No task group: it would wrap whatever the block itself raises.
    """
    block = asyncio.current_task()
    watching = asyncio.create_task(supervisor.watch())

    def break_off(watching: asyncio.Task[None]) -> None:
        if block and not watching.cancelled():
            block.cancel()

    watching.add_done_callback(break_off)
    try:
        yield
    except asyncio.CancelledError:
        if watching.done() and not watching.cancelled() and block:
            block.uncancel()
            watching.result()
        raise
    finally:
        watching.remove_done_callback(break_off)
        watching.cancel()
        await asyncio.wait({watching})


async def _until_ready(stack: EmbeddedStack) -> None:
    """Building an index may take its time, and so may what is waited for as long as it changes now and then."""
    last, since, begun = "", time.monotonic(), time.monotonic()
    while waits_for := await stack.ready():
        if waits_for != last or WaitsBecause.INCOMPLETE in waits_for:
            last, since = waits_for, time.monotonic()
        if time.monotonic() > min(since + _SERVES_S, begun + _BUILDS_S):
            raise StartError(f"not ready within {_SERVES_S:.0f} s, {_log(stack.data_dir, 'api')} says why: {waits_for}")
        await asyncio.sleep(_POLL_S)


async def _asked(url: str) -> str:
    try:
        # No proxy of the caller's environment stands between us and loopback.
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return "" if answer.is_success else answer.text[:300]


@contextmanager
def _cancelled_by_signals(task: asyncio.Task[None]) -> Iterator[list[signal.Signals]]:
    """Answers the signals that came."""
    loop = asyncio.get_running_loop()
    came: list[signal.Signals] = []

    def cancel(number: signal.Signals) -> None:
        came.append(number)
        task.cancel()

    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in handled:
        loop.add_signal_handler(number, cancel, number)
    try:
        yield came
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def _log(folder: Path, name: str) -> Path:
    return folder / "logs" / f"{name}.log"
