"""Real processes with real secrets, their dependencies there, away and hostile: nobody says a secret anywhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import pytest

from builders.issuer import RULES, claims, published, signed
from builders.product import Product, Program, a_product, until
from builders.uploads import archive_of, template_of
from entrypoints.embedded.ports import LOOPBACK

SECRETS = {
    "DATABASE": "pg-Secret-61f0",
    "REDIS": "redis-Secret-82c1",
    "EMBEDDING_API_KEY": "sk-Secret-93d2",
    "AWS_SECRET_ACCESS_KEY": "aws/Secret+a4e3",
    "AWS_SESSION_TOKEN": "session-Secret-b5f4",
    "MILVUS_TOKEN": "root:Secret-c6a5",
}
NOWHERE = f"{LOOPBACK}:9"


class Echo(BaseHTTPRequestHandler):
    """A server that refuses everything and repeats what it was sent, as gateways in their debug mode do."""

    def do_POST(self) -> None:
        self._refuse()

    def do_PUT(self) -> None:
        self._refuse()

    def do_GET(self) -> None:
        self._refuse()

    def do_HEAD(self) -> None:
        self._refuse()

    def log_message(self, *_: object) -> None:
        pass

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"error": {"message": f"refused {self.path} {dict(self.headers)}"}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer((LOOPBACK, 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    server.server_close()


def with_password(url: str, password: str, *, at: str = "") -> str:
    """The address with this password, of another server where one is named."""
    parts = urlsplit(url)
    user = parts.username or ("default" if parts.scheme == "redis" else "ladderbase")
    place = at or f"{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))


@pytest.fixture
def product(database_url: str, redis_url: str, echo: str, tmp_path: Path) -> Iterator[Product]:
    """At the most talkative level, with an issuer of tokens, and an embedder, a store and a Milvus that are hostile."""
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [published("ec")]}))
    with a_product(
        tmp_path,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        LOG_LEVEL="DEBUG",
        AUTH="required",
        WEBHOOK_ALLOW_PRIVATE="true",
        OIDC_ISSUER=RULES.issuer,
        OIDC_AUDIENCE=RULES.audience,
        OIDC_JWKS_FILE=str(jwks),
        MILVUS_URI=f"http://{NOWHERE}",
        MILVUS_TOKEN=SECRETS["MILVUS_TOKEN"],
        MILVUS_EMBEDDING_DIM="64",
        EMBEDDING_MODEL="openai",
        EMBEDDING_MODEL_NAME="m",
        EMBEDDING_BASE_URL=f"{echo}/v1",
        EMBEDDING_API_KEY=SECRETS["EMBEDDING_API_KEY"],
        AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY=SECRETS["AWS_SECRET_ACCESS_KEY"],
        AWS_SESSION_TOKEN=SECRETS["AWS_SESSION_TOKEN"],
        S3_BUCKET_NAME="bucket",
        S3_ENDPOINT_URL=echo,
    ) as product:
        yield product


async def _ask(api: Program, credentials: list[str], files: Mapping[str, tuple[str, bytes]]) -> list[httpx.Response]:
    """Everything that can be asked, by everybody."""
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False) as client:

        async def answers() -> bool:
            if api.process.poll() is not None:
                return True
            try:
                return (await client.get("/healthz")).is_success
            except httpx.TransportError:
                return False

        await until(answers, within_s=60)
        if api.process.poll() is not None:  # what refuses the settings ends the start with a line that says so
            assert "S3_BUCKET_NAME" in api.said
            return []
        answered = [await client.get("/readyz")]
        for credential in credentials:
            headers = {"Authorization": f"Bearer {credential}"}
            form = {"data": {"pgm_name": "line"}, "files": files, "headers": headers}
            answered += [
                await client.post("/v1/programs", **form),  # type: ignore[arg-type]  # of a form as httpx takes it
                await client.get(f"/v1/programs?token={credential}", headers=headers),
                await client.post("/v1/search", json={"query": "M1"}, headers=headers),
                await client.post("/v1/search", content=b"{", headers=headers),
                await client.get("/v1/operations", headers=headers),
                await client.get(f"/{credential}", headers=headers),
            ]
    return answered


async def _webhook_secrets(api: Program, key: str, url: str, workers: Sequence[Program]) -> Mapping[str, str]:
    """Both secrets of a webhook that a worker has tried to tell of a deletion, and what its address hides."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False, headers=headers) as client:
        added = (await client.post("/v1/webhooks", json={"url": url})).raise_for_status().json()
        path = f"/v1/webhooks/{added['webhook_id']}"
        rotated = (await client.post(f"{path}/secret")).raise_for_status().json()
        (await client.delete("/v1/programs/PGM_1")).raise_for_status()

        async def is_tried() -> bool:
            tried = f"to webhook {added['webhook_id']}, attempt 1"
            return any(tried in worker.said for worker in workers)  # one whose queue is away may be the first

        await until(is_tried, within_s=60)
    return {"webhook": added["secret"], "webhook, rotated": rotated["secret"], "webhook's address": url[-8:]}


@pytest.mark.timeout(300)
async def test_no_log_and_no_answer_holds_a_secret(product: Product, echo: str) -> None:
    command = product.command("keys", "create", "kim", "--scope", "admin")
    assert command.process.wait(60) == 0, command.said
    key = next(line for line in command.said.splitlines() if line.startswith("lb_"))
    token = signed(claims(sub="7f3c", scope="ladderbase:write"), "ec")
    revoked = f"lb_{'0' * 12}_{'7' * 64}"
    credentials = [key, token, token[:-2], revoked]
    files = {
        "pgm_ladder_zip_file": ("a.zip", archive_of({"0001_11": "0,,LD,X0,,,\n1,,OUT,M1,,,\n"})),
        "pgm_template_file": ("t.xlsx", template_of([("0", "이송부", "", "0001_11", "L1")])),
    }
    settings = product.settings
    away = {
        "DATABASE_URL": with_password(settings["DATABASE_URL"], SECRETS["DATABASE"], at=NOWHERE),
        "REDIS_URL": with_password(settings["REDIS_URL"], SECRETS["REDIS"], at=NOWHERE),
    }
    refused = {"DATABASE_URL": with_password(settings["DATABASE_URL"], SECRETS["DATABASE"])}
    wrong_redis = {"REDIS_URL": with_password(settings["REDIS_URL"], SECRETS["REDIS"])}
    workers = [product.worker(), product.worker(**away), product.worker(**wrong_redis)]
    never = {**SECRETS, "key": key, "token": token, "signature": token.rpartition(".")[2]}
    answers: list[httpx.Response] = []
    no_store = {"STORAGE_TYPE": "s3", "S3_ENDPOINT_URL": f"http://{NOWHERE}"}
    for changes in ({}, {"STORAGE_TYPE": "s3"}, no_store, refused):
        api = product.api(**changes)
        answers += await _ask(api, credentials, files)
        if not changes:
            never |= await _webhook_secrets(api, key, f"{echo}/hook?token=7d41c0de", workers)
    answers += await _ask(product.api(**away, MILVUS_URI=echo), credentials, files)
    for program in product.programs[1:]:
        program.process.terminate()
    for program in product.programs[1:]:
        program.process.wait(60)
    assert {answer.status_code for answer in answers} >= {201, 200, 401, 404, 422, 503}
    said = {program.log.name: program.said for program in product.programs[1:]}  # the first shows the key, once
    said |= {f"answer {number}": f"{each.headers}\n{each.text}" for number, each in enumerate(answers)}
    never |= {"half a key": key.rpartition("_")[2], "made up": revoked.rpartition("_")[2]}
    found = [
        (place, name)
        for place, text in said.items()
        for name, secret in never.items()
        if secret in text or quote(secret, safe="") in text
    ]
    assert found == []
    assert all(said.values())
