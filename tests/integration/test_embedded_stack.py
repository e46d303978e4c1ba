import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import pytest

from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, InternalPorts, run, running
from entrypoints.embedded.supervisor import RestartPolicy
from real_processes import children_of, command_line, descendants_of, lives, status_of

_API = """
import http.server, json, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"here")
with open(os.environ["TMPDIR"] + "/../environment.json", "w") as file:
    json.dump(dict(os.environ), file)
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Answer).serve_forever()
"""
_WORKER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
_PROGRAMS = {
    "migrate": "print('migrated')",
    "api": _API,
    "worker": _WORKER,
    "stubborn worker": "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    "sickly worker": "import sys; sys.exit('no heart')",
    "deaf api": "import time; time.sleep(60)",
}
_OWN_PARTS = ("migrate", "api", "worker")
_ALL_PARTS = ("postgres", "migrate", "valkey", "milvus", "api", "worker")


@dataclass(frozen=True, kw_only=True)
class SmallProduct(EmbeddedStack):
    """The product's servers, with an API that only says that it is there and a worker that only waits."""

    parts: tuple[str, ...] = _OWN_PARTS
    restarts: RestartPolicy = field(
        default_factory=lambda: RestartPolicy(first_delay_s=0.1, longest_delay_s=1.0, limit=3)
    )

    def components(self, ports: InternalPorts) -> tuple[Component, ...]:
        real = {component.name: component for component in super().components(ports)}
        return tuple(self._small(part, real[part.split()[-1]]) for part in self.parts)

    def _small(self, part: str, real: Component) -> Component:
        if part not in _PROGRAMS:
            return real
        return replace(real, command=[sys.executable, "-c", _PROGRAMS[part]], start_s=3.0)


class Running:
    """A supervisor in a process of its own, and what it has said so far."""

    def __init__(self, folder: Path, *, parts: tuple[str, ...] = _OWN_PARTS, port: int | None = None) -> None:
        self.data_dir = folder / "data"
        self._said = folder / f"said.{time.monotonic_ns()}"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(self.data_dir), str(port or free_port()), *parts],
                env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stderr=said,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        return self._said.read_text().splitlines()

    def until(self, condition: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < give_up_at, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)

    def until_serving(self) -> "Running":
        self.until(lambda: "serving" in self.said())
        return self

    def settings(self) -> dict[str, str]:
        environment: dict[str, str] = json.loads((self.data_dir / "environment.json").read_text())
        return environment

    def family(self) -> dict[int, str]:
        """All processes that come from it, with their command lines."""
        return {process_id: command_line(process_id) for process_id in descendants_of(self.process.pid)}

    def all(self, mark: str) -> list[int]:
        """The children of the supervisor whose command line holds the mark."""
        return [child for child in children_of(self.process.pid) if mark in command_line(child)]

    def the(self, mark: str) -> int:
        """The one child of the supervisor whose command line holds the mark."""
        self.until(lambda: len(self.all(mark)) == 1)  # just forked, a child still has its parent's command line
        (found,) = self.all(mark)
        return found

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start_one(**how: object) -> Running:
        started.append(Running(tmp_path, **how))  # type: ignore[arg-type]  # passed on as they came
        return started[-1]

    yield start_one
    for one in started:
        one.process.kill()
        one.process.wait(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(start: Callable[..., Running], number: signal.Signals) -> None:
    product = start().until_serving()
    family = product.family()

    product.process.send_signal(number)

    assert product.process.wait(timeout=20) == 0
    assert product.said()[-1] == "stopped"
    assert not any(map(lives, family))


def test_a_second_signal_kills_what_does_not_end(start: Callable[..., Running]) -> None:
    product = start(parts=("api", "stubborn worker")).until_serving()
    product.until(lambda: _ignores_sigterm(product.the("SIG_IGN")))
    family = product.family()

    product.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    product.process.send_signal(signal.SIGINT)

    assert product.process.wait(timeout=5) == 130
    assert not any(map(lives, family))


def test_the_whole_product_is_told_its_settings_and_keeps_its_data(start: Callable[..., Running]) -> None:
    first = start(parts=_ALL_PARTS).until_serving()
    settings = first.settings()
    asyncio.run(_execute(settings["DATABASE_URL"], "CREATE TABLE kept ()"))
    family = first.family()
    assert first.end() == 0
    assert not any(map(lives, family))

    second = start(parts=_ALL_PARTS).until_serving()
    asyncio.run(_execute(second.settings()["DATABASE_URL"], "DROP TABLE kept"))

    assert settings["STORAGE_TYPE"] == "local"
    assert settings["STORAGE_LOCAL_ROOT"] == str(first.data_dir / "blobs")
    assert settings["REDIS_URL"].startswith("redis://:")
    assert settings["MILVUS_URI"].startswith("http://127.0.0.1:")
    assert (first.data_dir / "secrets").stat().st_mode & 0o077 == 0
    assert second.end() == 0


def test_each_part_that_is_killed_comes_back_where_it_was(start: Callable[..., Running]) -> None:
    product = start(parts=_ALL_PARTS).until_serving()
    ready = [line for line in product.said() if "ready on" in line]

    for mark in ("bin/postgres", "valkey-server", "milvus_lite", "ThreadingHTTPServer"):
        os.kill(product.the(mark), signal.SIGKILL)
    product.until(lambda: sum("ready on" in line for line in product.said()) == 2 * len(ready))

    assert sorted(line for line in product.said() if "ready on" in line) == sorted(2 * ready)
    assert sum("signal SIGKILL" in line for line in product.said()) == len(ready)
    asyncio.run(_execute(product.settings()["DATABASE_URL"], "SELECT 1"))
    family = product.family()
    assert product.end() == 0
    assert not any(map(lives, family))


def test_a_supervisor_that_is_killed_leaves_nothing_running_and_can_be_started_again(
    start: Callable[..., Running],
) -> None:
    product = start(parts=_ALL_PARTS).until_serving()
    worker = product.the("Popen")
    product.until(lambda: children_of(worker) != [])
    family = product.family()

    product.process.kill()
    product.process.wait(timeout=5)
    successor = start(parts=_ALL_PARTS).until_serving()

    assert not any(map(lives, family)), [line for process, line in family.items() if lives(process)]
    assert successor.end() == 0


def test_a_port_that_is_taken_is_named_in_one_line_before_anything_starts(start: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        product = start(port=port)

        assert product.process.wait(timeout=10) == 1

    assert product.said() == [f"port {port} cannot be used: Address already in use"]
    assert not product.data_dir.exists()


def test_a_data_folder_serves_one_supervisor_at_a_time(start: Callable[..., Running]) -> None:
    first = start().until_serving()
    second = start()

    assert second.process.wait(timeout=10) == 1
    assert second.said() == [f"the data folder {first.data_dir} is in use by process {first.process.pid}"]
    assert first.end() == 0


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        (("migrate", "deaf api"), "api was not ready within 3 s, waiting for All connection attempts failed"),
        (("api", "sickly worker"), "worker does not stay up (exit code 1)"),
    ],
)
def test_a_part_that_never_comes_up_ends_everything_with_one_line(
    start: Callable[..., Running], parts: tuple[str, ...], complaint: str
) -> None:
    product = start(parts=parts)

    assert product.process.wait(timeout=30) == 1
    assert complaint in product.said()


def test_an_internal_port_that_somebody_took_is_chosen_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        choices = [replace(InternalPorts.chosen(), valkey=other.getsockname()[1]), InternalPorts.chosen()]
        product = SmallProduct(
            data_dir=tmp_path / "data",
            port=free_port(),
            parts=("valkey", "api"),
            choose_ports=lambda: choices.pop(0),
        )
        said: list[str] = []

        async def start_and_stop() -> None:
            async with running(product, say=said.append):
                pass

        expected = choices[1].valkey
        asyncio.run(start_and_stop())

    assert said[:2] == [
        "somebody else took an internal port: starting again on others",
        f"valkey ready on 127.0.0.1:{expected}",
    ]


async def test_a_part_that_does_not_stay_up_breaks_off_the_block(tmp_path: Path) -> None:
    product = SmallProduct(data_dir=tmp_path / "data", port=free_port(), parts=("api", "sickly worker"))

    with pytest.raises(StartError, match="worker does not stay up"):
        async with running(product, say=lambda _line: None):
            await asyncio.sleep(60)


async def test_what_the_block_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    product = SmallProduct(data_dir=tmp_path / "data", port=free_port(), parts=("api",))

    with pytest.raises(LookupError):
        async with running(product, say=lambda _line: None):
            raise LookupError


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(statement, timeout=5)
    finally:
        await connection.close(timeout=5)


def _ignores_sigterm(process_id: int) -> bool:
    return bool(int(status_of(process_id)["SigIgn"], 16) & 1 << signal.SIGTERM - 1)


def _main(data_dir: str, port: str, *parts: str) -> int:
    product = SmallProduct(data_dir=Path(data_dir), port=int(port), parts=parts)
    return asyncio.run(run(product, on_ready=lambda _url: print("serving", file=sys.stderr, flush=True)))  # noqa: T201 - its report to the test


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
