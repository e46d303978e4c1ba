"""A running service, and requests that schemathesis makes of its OpenAPI document: with an admin's key, and without."""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.postgres.migrations_runner import upgrade
from builders.product import Program, a_product, until
from builders.real_servers import real_servers

OWNER = "kim"
PHASES = "examples,coverage,fuzzing,stateful"
_MOST_S = 3600
_UNLIMITED = {"UPLOADS_PER_MINUTE": "0", "SEARCHES_PER_MINUTE": "0", "UNKNOWN_KEYS_PER_MINUTE": "0"}
_OPEN_PATHS = {"/healthz", "/readyz", "/version", "/schema/openapi.json", "unknown"}
_TESTS = Path(__file__).parents[1]
_LINE = re.compile(r"request method=(\S+) path=(\S+) status=(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of one campaign: what schemathesis said, and what the service itself logged of it."""

    exit_code: int
    said: str
    statuses: Counter[int]
    carried_out: Counter[str] = field(default_factory=Counter)  # by method and path, open ones and OPTIONS left out

    @property
    def requests(self) -> int:
        """How many the service answered, but those that were no HTTP."""
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        """Answers of 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    @property
    def figures(self) -> str:
        """For people."""
        counts = ", ".join(f"{count} of {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.requests} requests: {counts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An API that asks who is there, and the key of an admin."""

    api: Program
    key: str = field(repr=False)

    def fuzz(self, *, seed: int, examples: int, with_key: bool, phases: str = PHASES) -> Fuzzed:
        """`examples` is about how many requests each operation gets of each kind. The same seed makes the same ones."""
        before = len(self.api.said)
        header = ["--header", f"Authorization: Bearer {self.key}"] if with_key else []
        made = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{self.api.url}/schema/openapi.json", *header),
                *("--seed", str(seed), "--max-examples", str(examples), "--phases", phases),
                *("--request-timeout", "30", "--generation-database", "none", "--no-color", "--continue-on-failure"),
            ],
            env={
                **os.environ,
                "PYTHONPATH": f"{_TESTS}:{_TESTS.parent / 'src'}",
                "SCHEMATHESIS_HOOKS": "api_fuzz.hooks",
            },
            cwd=self.api.log.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_MOST_S,
            check=False,
        )
        return _fuzzed(made.returncode, made.stdout.decode(errors="replace"), self.api.said[before:])


def _fuzzed(exit_code: int, said: str, log: str) -> Fuzzed:
    lines = [(method, path, int(status)) for method, path, status in _LINE.findall(log)]
    return Fuzzed(
        exit_code=exit_code,
        said=said,
        statuses=Counter(status for _, _, status in lines),
        carried_out=Counter(
            f"{method} {path}"
            for method, path, status in lines
            if 200 <= status < 300 and method != "OPTIONS" and path not in _OPEN_PATHS
        ),
    )


@contextmanager
def a_target(folder: Path) -> Iterator[Target]:
    """On real servers, with a worker that indexes what is uploaded."""
    with real_servers() as servers, ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, upgrade(servers.postgres.url)).result()
        settings = {
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.valkey.url,
            "MILVUS_URI": servers.milvus.url,
            "AUTH": "required",
            **_UNLIMITED,
        }
        with a_product(folder, **settings) as product:
            api, _ = product.api(), product.worker()
            thread.submit(asyncio.run, until(lambda: _is_ready(api), within_s=60)).result()
            made = product.command("keys", "create", OWNER, "--scope", "admin")
            assert made.process.wait(60) == 0
            (key,) = re.findall(r"^lb_\S+$", made.said, re.MULTILINE)
            yield Target(api=api, key=key)


async def _is_ready(api: Program) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"{api.url}/readyz")).is_success
        except httpx.TransportError:
            return False
