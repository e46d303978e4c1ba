"""One address that takes JSON and answers JSON, over HTTP that may fail in every way."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from adapters.embedding.retries import PassingError
from adapters.loopback import is_loopback
from adapters.retry_after import retry_after_s
from domain.errors import MisconfiguredError

_LONGEST_CONNECT_S = 5.0
_KEEP_ALIVE_S = 30.0
_LARGEST_COMPLAINT = 16_384
_LONGEST_QUOTATION = 200

# 424 is how Text Embeddings Inference says that a computation failed.
_PASSING = {408, 424, 425, 429}
_FOR_GOOD = {501, 505}
_ABOUT_THE_TEXTS = {400, 413, 422}
# llama.cpp, and Ollama with it, say so by 500, OpenAI by 429 where the texts need more tokens than a minute has.
_TOO_LARGE = re.compile(
    r"too large to process|request too large|input.{0,40}too (large|long)|exceed.{0,30}context", re.IGNORECASE
)


class RefusedError(Exception):
    """The server refuses these texts, or so many, or everything; `is_passing` where that may be over later."""

    def __init__(self, reason: str, *, is_passing: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonEndpoint:
    """Every failure of `post` is one of three.

    A PassingError is worth another attempt; a RefusedError may be worth other questions; a MisconfiguredError is
    worth neither. None ever shows the key, which servers like to quote.
    """

    client: httpx.AsyncClient
    url: httpx.URL = field(repr=False)
    key: str = field(repr=False)
    key_settings: str
    attempt_s: float

    async def post(self, content: bytes, *, largest: int) -> bytes:
        """The body of a 200 answer, of at most `largest` bytes, within `attempt_s` seconds."""
        try:
            async with (
                asyncio.timeout(self.attempt_s),  # httpx' own timeouts begin anew with every byte
                self.client.stream("POST", self.url, content=content) as response,
            ):
                if response.status_code == httpx.codes.OK:
                    return await _whole(response, largest)
                raise self._failure(response, await _beginning(response))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise PassingError(f"no answer within {self.attempt_s:g} s") from error
        except httpx.TransportError as error:
            broken = "no connection" if isinstance(error, httpx.ConnectError) else "the connection broke"
            raise PassingError(f"{broken}: {self._quotable(str(error)) or 'no reason given'}") from error

    def _failure(self, response: httpx.Response, complaint: bytes) -> Exception:
        status = response.status_code
        words = f"HTTP {status}: {self._quotable(complaint.decode(errors='replace'))}"
        is_passing = status in _PASSING or (status >= httpx.codes.INTERNAL_SERVER_ERROR and status not in _FOR_GOOD)
        if status in _ABOUT_THE_TEXTS or (is_passing and _TOO_LARGE.search(words)):
            return RefusedError(words, is_passing=is_passing)
        if is_passing:
            wait_s = retry_after_s(response.headers.get("retry-after", ""), now=datetime.now(tz=UTC))
            return PassingError(words, wait_s=wait_s)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:  # quoted keys are cut in ways of their own
            return MisconfiguredError(f"the embedder refuses the key, {self.key_settings} ({status})")
        return refusal_of_everything(words)

    def _quotable(self, words: str) -> str:
        hidden = words.replace(self.key, "(key)") if self.key else words
        printable = "".join(character if character.isprintable() else " " for character in hidden)
        return " ".join(printable.split())[:_LONGEST_QUOTATION]


def refusal_of_everything(words: str) -> MisconfiguredError:
    """What to tell of a server that answers nothing."""
    return MisconfiguredError(
        f"the embedder refuses to answer: check EMBEDDING_MODEL_NAME and EMBEDDING_BASE_URL ({words})"
    )


@asynccontextmanager
async def opened_endpoint(
    url: httpx.URL, *, key: str, key_header: str, key_settings: str, connections: int, attempt_s: float
) -> AsyncIterator[JsonEndpoint]:
    """An endpoint with a client of its own, closed at the end. Redirects are not followed: the key would go with them.

    The environment's proxies (HTTPS_PROXY, NO_PROXY, ...) and certificates (SSL_CERT_FILE) hold as they do for every
    tool, but none stands before an address on this machine. Raises MisconfiguredError where they cannot be used.
    """
    if not (key.isascii() and key.isprintable()):
        raise MisconfiguredError(f"the setting {key_settings} is no key: it fits into no header")
    try:
        client = httpx.AsyncClient(
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # a small body that unpacks into a large one has no bound
                **({key_header: f"Bearer {key}" if key_header == "Authorization" else key} if key else {}),
            },
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_ALIVE_S
            ),
            timeout=httpx.Timeout(attempt_s, connect=min(_LONGEST_CONNECT_S, attempt_s)),
            follow_redirects=False,
            trust_env=not is_loopback(url.host),
        )
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise MisconfiguredError(
            "the proxy or the certificates that the environment names (HTTPS_PROXY, SSL_CERT_FILE) cannot be used"
        ) from error
    async with client:
        yield JsonEndpoint(client=client, url=url, key=key, key_settings=key_settings, attempt_s=attempt_s)


async def _whole(response: httpx.Response, largest: int) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise MisconfiguredError(
            "the embedder, or a gateway before it, compresses its answers though it is asked not to"
        )
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > largest:
            raise MisconfiguredError(
                f"the embedder answers with more than {largest:,} bytes: is MILVUS_EMBEDDING_DIM its dimension?"
            )
    return bytes(body)


async def _beginning(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= _LARGEST_COMPLAINT:
            break
    return bytes(body)
