"""Real API processes that ask who is there: keys made and revoked beside them, a token, and what they log of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from builders.issuer import RULES, claims, published, signed
from entrypoints.embedded.ports import free_port

NOWHERE = {"MILVUS_URI": "http://127.0.0.1:9"}


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> Mapping[str, str]:
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [published("ec")]}))
    return {
        **os.environ,
        **NOWHERE,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STORAGE_LOCAL_ROOT": str(tmp_path / "blobs"),
        "AUTH": "required",
        "OIDC_ISSUER": RULES.issuer,
        "OIDC_AUDIENCE": RULES.audience,
        "OIDC_JWKS_FILE": str(jwks),
        "LOG_LEVEL": "DEBUG",
    }


@contextmanager
def an_api(environment: Mapping[str, str], log: Path) -> Iterator[httpx.Client]:
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "entrypoints.api.main"],
            env={**environment, "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _until_it_answers(client, process, log)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _until_it_answers(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            client.get("/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the API does not answer")


def ladderbase(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "entrypoints.cli.main", *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def keys_of(environment: Mapping[str, str], owner: str) -> list[dict[str, Any]]:
    listed = ladderbase(environment, "keys", "list", "--owner", owner, "--json")
    return [json.loads(line) for line in listed.stdout.splitlines()]


def status(client: httpx.Client, credential: str, path: str = "/v1/programs") -> int:
    return client.get(path, headers={"Authorization": f"Bearer {credential}"}).status_code


@pytest.mark.timeout(240)
def test_keys_are_made_rotated_and_revoked_beside_processes_that_log_no_secret(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    created = ladderbase(environment, "keys", "create", "kim", "--scope", "read")
    assert created.returncode == 0, created.stderr
    key = created.stdout.strip()
    prefix = key.split("_")[1]
    assert f"audit action=create_key object={prefix} owner=kim caller=account:" in created.stderr
    token = signed(claims(sub="7f3c", preferred_username="kim", scope="ladderbase:read"), "ec")
    logs = [tmp_path / "first.log", tmp_path / "second.log"]

    with an_api(environment, logs[0]) as first, an_api(environment, logs[1]) as second:
        assert status(first, key) == 200
        assert (status(first, token), status(second, token[:-2])) == (200, 401)
        assert first.get("/v1/programs").status_code == 401
        assert first.post("/v1/retry", headers={"Authorization": f"Bearer {key}"}).status_code == 403
        successor = ladderbase(environment, "keys", "create", "kim", "--scope", "write").stdout.strip()
        assert ladderbase(environment, "keys", "create", "kim", "--scope", "write").returncode == 1
        assert ladderbase(environment, "keys", "revoke", prefix).returncode == 0
        assert status(second, key) == 401
        assert (status(first, successor), status(second, successor)) == (200, 200)

    by_prefix = {kept["prefix"]: kept for kept in keys_of(environment, "kim")}
    assert by_prefix[prefix]["standing"] == "revoked"
    assert all(kept["last_used_dt"] for kept in by_prefix.values())
    logged = "".join(log.read_text() for log in logs) + created.stderr
    assert f"credential={prefix}" in logged
    for secret in (key, key.rpartition("_")[2], successor, successor.rpartition("_")[2], token):
        assert secret not in logged


def test_an_address_is_that_of_the_client_where_the_gateway_is_trusted_and_that_of_the_gateway_else(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    limited = {**environment, "UNKNOWN_KEYS_PER_MINUTE": "2"}
    behind_gateway = {**limited, "TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    numbers = iter(range(100))

    def tried(client: httpx.Client, forwarded: str) -> int:
        headers = {"Authorization": f"Bearer lb_{next(numbers):012x}_{'0' * 64}", "X-Forwarded-For": forwarded}
        return client.get("/v1/programs", headers=headers).status_code

    with (
        an_api(limited, tmp_path / "open.log") as nowhere,
        an_api(behind_gateway, tmp_path / "behind.log") as behind,
    ):
        assert [tried(nowhere, f"198.51.100.{last}") for last in range(3)] == [401, 401, 429]
        assert [tried(behind, "198.51.100.7") for _ in range(3)] == [401, 401, 429]
        assert tried(behind, "203.0.113.1, 198.51.100.7") == 429  # what the client wrote itself stands to the left
        assert tried(behind, "198.51.100.7:40001, 10.1.2.3") == 429  # with its port, and over a second gateway
        assert tried(behind, "198.51.100.8") == 401


def test_an_api_that_is_open_does_not_start_on_more_than_loopback(environment: Mapping[str, str]) -> None:
    wide = {
        **environment,
        "AUTH": "off",
        "HOST": "0.0.0.0",  # noqa: S104 - which is what is refused
        "OIDC_ISSUER": "",
        "OIDC_AUDIENCE": "",
        "OIDC_JWKS_FILE": "",
    }
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "entrypoints.api.main"],
        env=wide,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "ladderbase: HOST is wider than loopback while AUTH is off: set AUTH=required, or HOST=127.0.0.1"
    ]
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["create", "kim"], 2),
        (["create", "kim", "--scope", "root"], 2),
        (["create", "kim", "--scope", "read", "--days", "0"], 2),
        (["create", " ", "--scope", "read"], 1),
        (["revoke", "0" * 12], 1),
        (["list", "--data-dir", "."], 3),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    environment: Mapping[str, str], arguments: list[str], exit_code: int
) -> None:
    done = ladderbase(environment, "keys", *arguments)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert "Traceback" not in done.stderr


def test_keys_are_shown_in_lines_for_people(environment: Mapping[str, str]) -> None:
    assert "there are no keys" in ladderbase(environment, "keys", "list").stderr
    key = ladderbase(environment, "keys", "create", "김 대리", "--scope", "read", "--scope", "admin").stdout.strip()
    (line,) = ladderbase(environment, "keys", "list").stdout.splitlines()
    prefix, owner, scopes, standing = line.split("  ")
    assert key.startswith(f"{prefix}_")
    assert (owner, scopes) == ("김 대리", "admin,read")
    assert standing.startswith("live, until ")
    assert standing.endswith("never used")
    assert ladderbase(environment, "keys", "revoke", key).returncode == 0  # by its whole text, and with its mark
    assert "  revoked, revoked " in ladderbase(environment, "keys", "list").stdout


def test_a_database_that_is_down_is_exit_code_3_and_one_line(environment: Mapping[str, str]) -> None:
    down = {**environment, "DATABASE_URL": "postgresql://u:not-for-logs@127.0.0.1:9/l"}
    done = ladderbase(down, "keys", "create", "kim", "--scope", "read")
    assert (done.returncode, done.stdout) == (3, "")
    assert "not-for-logs" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
