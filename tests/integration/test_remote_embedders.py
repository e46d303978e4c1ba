"""The embedders over HTTP against a real server, which also misbehaves in every way that servers have."""

import asyncio
import gzip
import json
import logging
import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.embedding.json_endpoint import opened_endpoint
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.registry import embedder_named
from adapters.embedding.retries import ATTEMPTS
from builders.embedding_servers import (
    DIMENSION,
    EmbeddingServer,
    Fault,
    Reply,
    Seen,
    answered,
    embedding_server,
    in_base64,
    in_json,
    refusal_of,
)
from builders.tls_proxy import HOSTS, an_authority, tls_proxy
from contracts.embedder import EmbedderContract, values
from domain.errors import MisconfiguredError, UnavailableError, UnindexableError
from domain.ports.embedder import TEXT_REFUSED, Embedder

KEY = "sk-very-secret-1234567890"
BASES = {"openai": "/v1", "huggingface": "", "cohere": "/v2"}
FIELDS = {"openai": "input", "huggingface": "inputs", "cohere": "texts"}
Opening = Callable[..., AbstractAsyncContextManager[Embedder]]


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingServer]:
    async with embedding_server() as running:
        yield running


def opening(name: str, server: EmbeddingServer, **changes: Any) -> AbstractAsyncContextManager[Embedder]:
    options = EmbeddingOptions(
        model_name="hashing",
        base_url=server.address + BASES[name],
        api_key=KEY,
        dimension=DIMENSION,
        timeout_s=20,
    )
    return embedder_named(name, replace(options, **changes))


class RemoteContract(EmbedderContract):
    name: str

    @pytest.fixture
    async def embedder(self, server: EmbeddingServer) -> AsyncIterator[Embedder]:
        async with opening(self.name, server) as embedder:
            yield embedder


class TestOpenAI(RemoteContract):
    name = "openai"

    async def test_it_asks_as_the_protocol_says(self, embedder: Embedder, server: EmbeddingServer) -> None:
        await embedder.embed(["모터 정지"])
        (seen,) = server.seen
        assert seen.path == "/v1/embeddings"
        assert seen.body == {"model": "hashing", "input": ["모터 정지"], "encoding_format": "base64"}

    async def test_a_shorter_dimension_is_asked_for(self, server: EmbeddingServer) -> None:
        async with opening("openai", server, model_name="text-embedding-3-small") as embedder:
            await embedder.embed(["모터 정지"])
        assert server.seen[0].body["dimensions"] == DIMENSION

    @pytest.mark.parametrize("order", [[2, 0, 1], [1, 2, 0], [0, 1, 2]])
    async def test_vectors_in_another_order_are_put_back(
        self, embedder: Embedder, server: EmbeddingServer, order: list[int]
    ) -> None:
        texts = ["모터 정지", "도어 열림", "펌프 기동"]
        expected = await embedder.embed(texts)
        server.faults = [partial(answered, order=order)]
        assert await embedder.embed(texts) == expected

    @pytest.mark.parametrize("numbered", [True, False])
    async def test_a_server_that_ignores_base64_and_the_numbers_is_understood(
        self, embedder: Embedder, server: EmbeddingServer, *, numbered: bool
    ) -> None:
        def as_numbers(seen: Seen, vectors: list[list[float]]) -> Reply:
            items = [{"embedding": vector} | ({"index": at} if numbered else {}) for at, vector in enumerate(vectors)]
            return in_json({"data": items})

        texts = ["모터 정지", "도어 열림"]
        expected = await embedder.embed(texts)
        server.faults = [as_numbers]
        got = await embedder.embed(texts)
        assert values(got, 1).tolist() == pytest.approx(values(expected, 1).tolist(), abs=1e-6)

    @pytest.mark.parametrize("numbers", [[0, 0], [0, 2], [1, 2], [-1, 0], [0, None]])
    async def test_numbers_that_do_not_count_are_a_misconfiguration(
        self, embedder: Embedder, server: EmbeddingServer, numbers: list[int | None]
    ) -> None:
        server.faults = [
            lambda _, vectors: in_json(
                {"data": [{"index": at, "embedding": vector} for at, vector in zip(numbers, vectors, strict=True)]}
            )
        ]
        with pytest.raises(MisconfiguredError):
            await embedder.embed(["모터 정지", "도어 열림"])

    @pytest.mark.parametrize(
        "embedding", ["not base64!", in_base64([1.0] * 63), "QUJD"], ids=["no base64", "short", "three bytes"]
    )
    async def test_base64_that_holds_no_vector_is_a_misconfiguration(
        self, embedder: Embedder, server: EmbeddingServer, embedding: str
    ) -> None:
        server.faults = [lambda *_: in_json({"data": [{"index": 0, "embedding": embedding}]})]
        with pytest.raises(MisconfiguredError):
            await embedder.embed(["모터 정지"])
        assert len(server.seen) == 1


class TestHuggingFace(RemoteContract):
    name = "huggingface"

    async def test_it_asks_as_the_protocol_says(self, embedder: Embedder, server: EmbeddingServer) -> None:
        await embedder.embed(["모터 정지"])
        (seen,) = server.seen
        assert seen.path == "/embed"
        assert seen.body == {"inputs": ["모터 정지"], "normalize": True, "truncate": True}

    async def test_the_shape_of_the_inference_api_is_kept(self, server: EmbeddingServer) -> None:
        base_url = f"{server.address}/hf-inference/models/BAAI/bge-m3/pipeline/feature-extraction"
        async with opening("huggingface", server, base_url=base_url) as embedder:
            await embedder.embed(["모터 정지"])
        assert server.seen[0].path == "/hf-inference/models/BAAI/bge-m3/pipeline/feature-extraction"

    async def test_a_model_that_answers_by_token_is_a_misconfiguration(
        self, embedder: Embedder, server: EmbeddingServer
    ) -> None:
        server.faults = [lambda _, vectors: in_json([vectors])]
        with pytest.raises(MisconfiguredError, match="something else than embeddings"):
            await embedder.embed(["모터 정지"])


class TestCohere(RemoteContract):
    name = "cohere"

    async def test_it_asks_as_the_protocol_says(self, embedder: Embedder, server: EmbeddingServer) -> None:
        await embedder.embed(["모터 정지"])
        (seen,) = server.seen
        assert seen.path == "/v2/embed"
        assert seen.body == {
            "model": "hashing",
            "texts": ["모터 정지"],
            "input_type": "search_document",
            "embedding_types": ["float"],
            "truncate": "END",
        }

    async def test_a_shorter_dimension_is_asked_for(self, server: EmbeddingServer) -> None:
        async with opening("cohere", server, model_name="embed-v4.0") as embedder:
            await embedder.embed(["모터 정지"])
        assert server.seen[0].body["output_dimension"] == DIMENSION

    async def test_no_request_holds_more_texts_than_cohere_takes(self, server: EmbeddingServer) -> None:
        async with opening("cohere", server, batch_size=256) as embedder:
            await embedder.embed([f"{number}" for number in range(200)])
        assert sorted(len(seen.body["texts"]) for seen in server.seen) == [8, 96, 96]


@pytest.fixture(params=["openai", "huggingface", "cohere"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.embedding.retries._FIRST_PAUSE_S", 0.001)


def status(number: int, words: str = "as told", **headers: str) -> Fault:
    return lambda *_: replace(
        in_json({"error": {"message": words}}, status=number),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def hang(_: Seen, vectors: list[list[float]]) -> Reply:
    return Reply(body=b"[]", beforehand=lambda: asyncio.sleep(60))


def cut_body(seen: Seen, vectors: list[list[float]]) -> Reply:
    whole = answered(seen, vectors)
    return replace(whole, announced=len(whole.body), body=whole.body[:-20])


def invalid_json(*_: object) -> Reply:
    return Reply(body=b"<html>the gateway is upset</html>")


def not_utf8(*_: object) -> Reply:
    return Reply(body=b"\xff\xfe[]")


def drop(*_: object) -> Reply:
    return Reply(announced=10)


def with_vectors(change: Callable[[list[list[Any]]], list[list[Any]]]) -> Fault:
    def as_numbers(seen: Seen, vectors: list[list[float]]) -> Reply:
        asked = {key: value for key, value in seen.body.items() if key != "encoding_format"}
        return answered(replace(seen, body=asked), change(vectors))

    return as_numbers


PASSING: dict[str, Fault] = {
    "429": status(429),
    "429 that asks for no wait": status(429, Retry_After="0"),
    "429 with a date": status(429, Retry_After=format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)),
    "429 with nonsense": status(429, Retry_After="when it suits"),
    "408": status(408),
    "424": status(424),
    "500": status(500),
    "502": status(502, "<html>bad gateway"),
    "503": status(503),
    "529": status(529),
    "cut body": cut_body,
    "no body": drop,
    "invalid JSON": invalid_json,
    "no UTF-8": not_utf8,
}
LASTING: dict[str, tuple[Fault, str]] = {
    "301": (status(301, Location="http://elsewhere/"), "EMBEDDING_BASE_URL"),
    "401": (status(401, f"Incorrect API key provided: {KEY[:12]}***"), "EMBEDDING_API_KEY or .*_API_KEY"),
    "403": (status(403), "EMBEDDING_API_KEY or .*_API_KEY"),
    "404": (status(404, "no such page"), "EMBEDDING_BASE_URL"),
    "501": (status(501), "EMBEDDING_BASE_URL"),
    "compressed": (
        lambda *_: Reply(body=gzip.compress(bytes(99_000_000)), headers={"Content-Encoding": "gzip"}),
        "compresses its answers",
    ),
    "fewer vectors": (with_vectors(lambda vectors: vectors[:-1]), "not 3 vectors"),
    "more vectors": (with_vectors(lambda vectors: [*vectors, vectors[0]]), "not 3 vectors"),
    "no vectors": (with_vectors(lambda vectors: []), "not 3 vectors"),
    "another dimension": (with_vectors(lambda vectors: [vector[:-1] for vector in vectors]), "MILVUS_EMBEDDING_DIM"),
    "one ragged": (with_vectors(lambda vectors: [*vectors[:-1], vectors[-1] * 2]), "MILVUS_EMBEDDING_DIM"),
    "words": (with_vectors(lambda vectors: [["x"] * DIMENSION, *vectors[1:]]), "something else"),
    "another shape": (lambda *_: in_json({"error": "none today"}), "something else"),
    "oversized": (lambda *_: Reply(body=b" " * 3_000_000), "MILVUS_EMBEDDING_DIM"),
}
WITHOUT_DIRECTION: dict[str, list[Any]] = {
    "null": [None] * DIMENSION,
    "NaN": [math.nan] * DIMENSION,  # json writes it so
    "Infinity": [-math.inf] * DIMENSION,
    "zero": [0.0] * DIMENSION,
    "beyond float32": [1e300] * DIMENSION,
}
TEXTS = ["모터 정지", "도어 열림", "펌프 기동"]
TOO_LONG = {
    "OpenAI, vLLM": (400, "This model's maximum context length is 8192 tokens, however you requested 9000"),
    "TEI": (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 785"),
    "Ollama": (400, "the input length exceeds the context length"),
    "llama.cpp": (500, "input (596 tokens) is too large to process. increase the physical batch size"),
    "OpenAI, tokens per minute": (429, "Request too large: Limit 40000, Requested 60000"),
    "in words of its own": (422, "no"),
}


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_what_passes_is_asked_again(name: str, server: EmbeddingServer, fault: Fault) -> None:
    async with opening(name, server) as embedder:
        expected = await embedder.embed(TEXTS)
        server.faults = [fault]
        assert await embedder.embed(TEXTS) == expected
    assert len(server.seen) == 3


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_what_does_not_pass_is_an_outage_after_a_few_attempts(server: EmbeddingServer, fault: Fault) -> None:
    async with opening("openai", server) as embedder:
        server.faults = [fault] * 99
        with pytest.raises(UnavailableError) as raised:
            await embedder.embed(TEXTS)
        assert len(server.seen) == ATTEMPTS
        server.faults = []
        assert len(await embedder.embed(TEXTS)) == 3
    assert raised.value.dependency == "embedder"
    assert_is_one_clear_line(str(raised.value))


@pytest.mark.parametrize(("code", "words"), TOO_LONG.values(), ids=TOO_LONG)
async def test_a_text_that_is_refused_is_shortened_and_its_neighbours_are_not(
    name: str, server: EmbeddingServer, caplog: pytest.LogCaptureFixture, code: int, words: str
) -> None:
    texts = [f"모터 {number} 정지" for number in range(32)]
    poisoned = [*texts[:20], "펌프 기동 " * 60, *texts[21:]]
    async with opening(name, server) as embedder:
        expected = await embedder.embed([*texts[:20], ("펌프 기동 " * 60)[:90], *texts[21:]])
        server.seen.clear()
        server.refuses = lambda sent: refusal_of(words, status=code) if max(map(len, sent)) > 100 else None
        assert await embedder.embed(poisoned) == expected
        assert len(server.seen) == 1 + 1 + 2 * 5 + 2
        assert len(server.seen[-1].body[FIELDS[name]]) <= 16
        server.refuses = lambda _: None
        server.seen.clear()
        await embedder.embed(texts)
        assert len(server.seen) == 1
    assert "of a text of 359 characters the embedder takes 89: lower EMBEDDING_MAX_CHARACTERS" in caplog.text


@pytest.mark.parametrize("most_texts", [1, 8, 20])
async def test_a_server_that_takes_fewer_texts_is_sent_fewer_from_then_on(
    name: str, server: EmbeddingServer, caplog: pytest.LogCaptureFixture, most_texts: int
) -> None:
    texts = [f"모터 {number} 정지" for number in range(32)]
    async with opening(name, server) as embedder:
        expected = await embedder.embed(texts)
        server.most_texts = most_texts
        assert await embedder.embed(texts) == expected
        server.seen.clear()
        assert await embedder.embed(texts) == expected
    fitting = next(size for size in (16, 8, 4, 2, 1) if size <= most_texts)
    assert len(server.seen) == 32 // fitting
    assert "lower EMBEDDING_BATCH_SIZE" in caplog.text


async def test_no_text_is_lost_when_the_limit_is_found_midway(name: str, server: EmbeddingServer) -> None:
    texts = [f"모터 {number} 정지" for number in range(100)]
    async with opening(name, server, concurrency=1) as embedder:
        expected = await embedder.embed(texts)
    server.most_texts = 8
    async with opening(name, server, concurrency=1) as embedder:
        assert await embedder.embed(texts) == expected


@pytest.mark.parametrize("code", [400, 413, 422])
async def test_a_server_that_refuses_everything_is_a_misconfiguration_after_one_more_question(
    name: str, server: EmbeddingServer, code: int
) -> None:
    server.refuses = lambda _: refusal_of(f"the model does not exist {KEY}", status=code)
    async with opening(name, server) as embedder:
        with pytest.raises(MisconfiguredError, match=r"EMBEDDING_MODEL_NAME .*does not exist") as raised:
            await embedder.embed(TEXTS)
    assert len(server.seen) == 2
    assert_is_one_clear_line(str(raised.value))


async def test_a_rate_that_is_used_up_is_an_outage_and_no_misconfiguration(server: EmbeddingServer) -> None:
    server.refuses = lambda _: refusal_of("Request too large for the tokens of this minute", status=429)
    async with opening("openai", server) as embedder:
        with pytest.raises(UnavailableError, match="429"):
            await embedder.embed(TEXTS)
    assert len(server.seen) == 2


async def test_a_text_that_is_refused_at_any_length_is_told_and_ends_the_questions(server: EmbeddingServer) -> None:
    server.refuses = lambda sent: refusal_of("not this", status=400) if any("펌프" in text for text in sent) else None
    async with opening("openai", server) as embedder:
        with pytest.raises(UnindexableError, match="one of the texts, however short") as raised:
            await embedder.embed(["모터 정지", "펌프 " * 100])
    assert raised.value.code == TEXT_REFUSED
    assert len(server.seen) < 12


async def test_a_rate_that_is_used_up_while_a_text_is_shortened_fails_no_text(server: EmbeddingServer) -> None:
    words = "Request too large for the tokens of this minute"
    server.refuses = lambda sent: refusal_of(words, status=429) if any("펌프" in text for text in sent) else None
    async with opening("openai", server) as embedder:
        with pytest.raises(UnavailableError, match="429"):
            await embedder.embed(["모터 정지", "펌프 " * 100])


@pytest.mark.parametrize("vector", WITHOUT_DIRECTION.values(), ids=WITHOUT_DIRECTION)
async def test_a_text_without_direction_is_told_from_a_model_that_finds_none(
    name: str, server: EmbeddingServer, vector: list[Any]
) -> None:
    def poisoned(seen: Seen, vectors: list[list[float]]) -> Reply:
        texts = seen.body[FIELDS[name]]
        changed = [vector if "펌프" in text else own for text, own in zip(texts, vectors, strict=True)]
        return with_vectors(lambda _: changed)(seen, vectors)

    async with opening(name, server) as embedder:
        server.faults = [poisoned] * 99
        with pytest.raises(UnindexableError) as refused:
            await embedder.embed(["모터 정지", "펌프 기동"])
        server.faults = [with_vectors(lambda vectors: [vector] * len(vectors))] * 99
        with pytest.raises(MisconfiguredError, match=r"EMBEDDING_MODEL_NAME .*zero or not finite"):
            await embedder.embed(["모터 정지", "펌프 기동"])
    assert refused.value.code == TEXT_REFUSED


@pytest.mark.parametrize(("fault", "told"), LASTING.values(), ids=LASTING)
async def test_what_lasts_is_a_misconfiguration_told_at_once(
    name: str, server: EmbeddingServer, fault: Fault, told: str
) -> None:
    async with opening(name, server) as embedder:
        server.faults = [fault]
        with pytest.raises(MisconfiguredError, match=told) as raised:
            await embedder.embed(TEXTS)
        assert len(server.seen) == 1
        assert len(await embedder.embed(TEXTS)) == 3
    assert_is_one_clear_line(str(raised.value))


def assert_is_one_clear_line(message: str) -> None:
    assert KEY[:12] not in message
    assert "\n" not in message
    assert 0 < len(message) < 400


@pytest.mark.parametrize("code", [400, 404, 500])
@pytest.mark.usefixtures("quick_pauses")
async def test_a_key_that_a_server_quotes_is_shown_to_nobody(
    server: EmbeddingServer, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opening("openai", server) as embedder:
        server.faults = [status(code, f"you\n\x1b[31m sent {KEY} " + "and more " * 9_000)] * ATTEMPTS
        with pytest.raises((MisconfiguredError, UnavailableError)) as raised:
            await embedder.embed(TEXTS)
    assert "(key)" in str(raised.value)
    assert_is_one_clear_line(str(raised.value))
    assert "\x1b" not in str(raised.value)
    assert KEY not in caplog.text
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_redirect_is_not_followed_and_the_key_not_sent_there(server: EmbeddingServer) -> None:
    async with embedding_server() as elsewhere, opening("openai", server) as embedder:
        server.faults = [status(307, Location=f"{elsewhere.address}/v1/embeddings")]
        with pytest.raises(MisconfiguredError, match="HTTP 307"):
            await embedder.embed(TEXTS)
        assert elsewhere.seen == []


async def test_an_endpoint_does_not_show_its_key() -> None:
    url = httpx.URL(f"http://models.example/v1?subscription={KEY}")
    async with opened_endpoint(
        url,
        key=KEY,
        key_header="Authorization",
        key_settings="EMBEDDING_API_KEY or OPENAI_API_KEY",
        connections=1,
        attempt_s=1,
    ) as endpoint:
        assert KEY not in repr(endpoint)


async def test_azure_is_asked_at_its_deployment_with_a_key_of_its_own_header(server: EmbeddingServer) -> None:
    base_url = f"{server.address}/openai/deployments/embeddings-3?api-version=2024-10-21"
    async with opening("openai", server, base_url=base_url, model_name="text-embedding-3-small") as embedder:
        await embedder.embed(TEXTS)
    (seen,) = server.seen
    assert seen.path == "/openai/deployments/embeddings-3/embeddings?api-version=2024-10-21"
    assert seen.headers["api-key"] == KEY
    assert "authorization" not in seen.headers


async def test_a_server_is_reached_by_ipv6(name: str) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    async with embedding_server("::1") as server, opening(name, server) as embedder:
        assert len(await embedder.embed(TEXTS)) == 3
    assert server.seen[0].headers["host"] == f"[::1]:{server.port}"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_an_answer_that_repeats_the_texts_in_escapes_is_no_oversized_one(server: EmbeddingServer) -> None:
    texts = ["가" * 30_000 + str(number) for number in range(20)]
    async with opening("cohere", server, max_characters=32_000) as embedder:
        assert len(await embedder.embed(texts)) == 20


async def test_without_a_key_none_is_sent(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server, api_key="") as embedder:
        await embedder.embed(TEXTS)
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("as_date", [False, True])
async def test_a_wait_that_the_server_asks_for_is_kept(server: EmbeddingServer, *, as_date: bool) -> None:
    date = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=2), usegmt=True)
    async with opening("openai", server) as embedder:
        await embedder.embed(TEXTS)
        server.faults = [status(429, Retry_After=date if as_date else "1")]
        started = asyncio.get_running_loop().time()
        await embedder.embed(TEXTS)
    assert 0.8 < asyncio.get_running_loop().time() - started < 5


async def test_while_one_waits_for_a_server_nobody_else_takes_its_turn(server: EmbeddingServer) -> None:
    async with opening("openai", server, concurrency=1) as embedder:
        server.faults = [status(429, Retry_After="1")]
        await asyncio.gather(*(embedder.embed([text]) for text in TEXTS))
    asked = [seen.body["input"] for seen in server.seen]
    assert asked[0] == asked[1]
    assert len(asked) == 4


async def test_a_wait_beyond_the_deadline_is_an_outage_at_once(server: EmbeddingServer) -> None:
    async with opening("openai", server) as embedder:
        server.faults = [status(429, Retry_After="86400")]
        async with asyncio.timeout(5):
            with pytest.raises(UnavailableError, match="429"):
                await embedder.embed(TEXTS)
    assert len(server.seen) == 1


async def test_a_server_that_hangs_once_is_asked_again_within_the_deadline(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server, timeout_s=2) as embedder:
        server.faults = [hang]
        assert len(await embedder.embed(TEXTS)) == 3


async def test_a_server_that_hangs_is_an_outage_at_the_deadline(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server, timeout_s=0.6) as embedder:
        server.faults = [hang] * 99
        async with asyncio.timeout(3):
            with pytest.raises(UnavailableError, match="no answer within"):
                await embedder.embed(TEXTS)


async def test_a_server_that_drips_is_asked_again_and_is_an_outage_at_the_deadline() -> None:
    asked: list[asyncio.StreamWriter] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    listener = await asyncio.start_server(drip, "127.0.0.1", 0)
    dripping = EmbeddingServer(port=listener.sockets[0].getsockname()[1])
    async with opening("openai", dripping, timeout_s=2) as embedder, asyncio.timeout(5):
        with pytest.raises(UnavailableError, match="no answer within"):
            await embedder.embed(TEXTS)
    assert len(asked) == 2
    listener.close()
    await asyncio.sleep(0.1)


@pytest.mark.usefixtures("quick_pauses")
async def test_nobody_at_the_address_is_an_outage(name: str, server: EmbeddingServer, unused_tcp_port: int) -> None:
    server.port = unused_tcp_port
    async with opening(name, server) as embedder:
        with pytest.raises(UnavailableError, match="no connection"):
            await embedder.embed(TEXTS)


async def test_batches_are_bounded_and_so_is_their_number_at_once(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server, batch_size=5, concurrency=3) as embedder:
        server.faults = [lambda s, v: replace(answered(s, v), beforehand=lambda: asyncio.sleep(0.01))] * 99
        await asyncio.gather(*(embedder.embed([f"{caller} {at}" for at in range(33)]) for caller in range(4)))
    assert server.most_at_once == 3
    assert len(server.seen) == 4 * 7
    assert max(len(seen.body[FIELDS[name]]) for seen in server.seen) == 5


async def test_texts_are_cut_before_they_are_sent(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server, max_characters=7) as embedder:
        await embedder.embed(["가나다라마바사아자차"])
    assert server.seen[0].body[FIELDS[name]] == ["가나다라마바사"]


async def test_a_batch_that_fails_ends_its_call(server: EmbeddingServer) -> None:
    async with opening("openai", server, batch_size=1, concurrency=2) as embedder:
        server.faults = [hang, status(404)]
        async with asyncio.timeout(5):
            with pytest.raises(MisconfiguredError):
                await embedder.embed([f"{number}" for number in range(50)])
    assert len(server.seen) == 2


async def test_a_wait_for_a_turn_ends_at_the_deadline(server: EmbeddingServer) -> None:
    async with opening("openai", server, concurrency=1, timeout_s=0.6) as embedder:
        server.faults = [hang] * 99
        async with asyncio.timeout(3):
            outcomes = await asyncio.gather(*(embedder.embed(TEXTS) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {UnavailableError}


async def test_no_texts_ask_nobody(name: str, server: EmbeddingServer) -> None:
    async with opening(name, server) as embedder:
        await embedder.embed([])
    assert server.seen == []


async def test_connections_are_kept_and_closed_at_the_end(server: EmbeddingServer) -> None:
    async with opening("openai", server) as embedder:
        for _ in range(5):
            await embedder.embed(TEXTS)
        assert server.connections == 1
    await asyncio.sleep(0.05)
    assert server.open_connections == 0


async def test_a_proxy_of_the_environment_does_not_stand_before_this_machine(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with opening("openai", server) as embedder:
        assert len(await embedder.embed(TEXTS)) == 3


async def test_a_certificate_is_trusted_by_ssl_cert_file_alone(
    server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = an_authority(tmp_path)
    monkeypatch.setenv("NO_PROXY", HOSTS[1])
    with tls_proxy(server.address, authority, host=HOSTS[1]) as proxy:
        async with opening("openai", server, base_url=f"{proxy.uri}/v1", timeout_s=1) as embedder:
            with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
                await embedder.embed(TEXTS)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        async with opening("openai", server, base_url=f"{proxy.uri}/v1") as embedder:
            assert len(await embedder.embed(TEXTS)) == 3


async def test_a_compressed_answer_is_not_asked_for(server: EmbeddingServer) -> None:
    async with opening("openai", server) as embedder:
        await embedder.embed(TEXTS)
    assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_the_server_of_the_tests_speaks_plain_http(server: EmbeddingServer) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{server.address}/embed", json={"inputs": ["x"]})
    assert [len(vector) for vector in json.loads(answer.content)] == [DIMENSION]
