"""Which tokens of an issuer are believed, and how often it is asked for its keys."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity import signing_keys
from adapters.identity.jwt_verifier import JwtTokenVerifier
from adapters.identity.key_sources import MAX_JWKS_BYTES, KeySource, keys_at, keys_in
from adapters.identity.signing_keys import SigningKeys
from builders.issuer import ALGORITHM_OF, KEYS, RULES, Issuer, claims, published, signed, spelled, token_of
from contracts.token_verifier import GoAway, TokenOf, TokenVerifierContract
from domain.caller import Caller, Scope
from domain.errors import MisconfiguredError, UnauthenticatedError, UnavailableError
from fakes.token_verifier import InMemoryTokenVerifier


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> JwtTokenVerifier:
    return JwtTokenVerifier(SigningKeys(issuer.jwks, monotonic=clock), RULES)


class TestJwtTokenVerifier(TokenVerifierContract):
    @pytest.fixture
    def token_of(self) -> TokenOf:
        return token_of

    @pytest.fixture
    def issuer_goes_away(self, issuer: Issuer) -> GoAway:
        async def go() -> None:
            issuer.is_away = True

        return go


class TestInMemoryTokenVerifier(TokenVerifierContract):
    @pytest.fixture
    def verifier(self) -> InMemoryTokenVerifier:
        return InMemoryTokenVerifier()

    @pytest.fixture
    def token_of(self, verifier: InMemoryTokenVerifier) -> TokenOf:
        return verifier.token_of

    @pytest.fixture
    def issuer_goes_away(self, verifier: InMemoryTokenVerifier) -> GoAway:
        async def go() -> None:
            verifier.is_away = True

        return go


async def refused(verifier: JwtTokenVerifier, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as raised:
        await verifier.verify(token)
    assert raised.value.credential == "token"
    return raised.value.reason


@pytest.mark.parametrize("kind", KEYS)
async def test_a_token_of_each_algorithm_is_believed(verifier: JwtTokenVerifier, kind: str) -> None:
    caller = await verifier.verify(signed(claims(), kind))
    assert caller == Caller(identity="token:7f3c", name="김 대리", scopes=frozenset({Scope.WRITE}), credential="token")


@pytest.mark.parametrize(
    "said",
    [
        {"aud": ["account", "ladderbase"]},
        {"exp_in": -30},
        {"nbf_in": 30},
        {"iat": None, "nbf": None},
    ],
)
async def test_lists_of_audiences_and_clocks_that_differ_by_less_than_a_minute_are_taken(
    verifier: JwtTokenVerifier, said: dict[str, Any]
) -> None:
    await verifier.verify(signed(claims(**said)))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_types_of_access_tokens_are_taken(verifier: JwtTokenVerifier, kind: str) -> None:
    await verifier.verify(signed(claims(), headers={"typ": kind}))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"exp_in": -90}, "ExpiredSignatureError"),
        ({"nbf_in": 120}, "ImmatureSignatureError"),
        ({"iat_in": 120}, "ImmatureSignatureError"),
        ({"aud": "account"}, "InvalidAudienceError"),
        ({"aud": ["account"]}, "InvalidAudienceError"),
        ({"iss": "https://elsewhere.example.com"}, "InvalidIssuerError"),
        ({"iss": RULES.issuer + "/"}, "InvalidIssuerError"),
        *(({name: None}, "MissingRequiredClaimError") for name in ("exp", "aud", "iss", "sub")),
        ({"exp": "soon"}, "DecodeError"),
        ({"exp": float("inf")}, "DecodeError"),
        ({"sub": ""}, "its subject is none"),
        ({"sub": "a\nb"}, "its subject is none"),
        ({"sub": "s" * 256}, "its subject is none"),
        ({"preferred_username": None}, "it has no claim preferred_username"),
        ({"preferred_username": 7}, "it has no claim preferred_username"),
        ({"preferred_username": " "}, "its claim preferred_username is no name"),
    ],
)
async def test_a_token_whose_claims_do_not_hold_is_refused(
    verifier: JwtTokenVerifier, said: dict[str, Any], reason: str
) -> None:
    assert await refused(verifier, signed(claims(**said))) == reason


@pytest.mark.parametrize("algorithm", ["none", "None", "", None, "HS256", "RS512", "PS256", ["RS256"], {"a": 1}])
async def test_an_algorithm_that_is_not_taken_is_refused_whatever_is_signed(
    verifier: JwtTokenVerifier, issuer: Issuer, algorithm: object
) -> None:
    await refused(verifier, spelled({"alg": algorithm, "kid": "rsa", "typ": "JWT"}, claims()))
    assert issuer.asked == 0


async def test_the_public_key_is_no_secret_to_sign_with(verifier: JwtTokenVerifier) -> None:
    pem = (
        KEYS["rsa"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head, body, _ = spelled({"alg": "HS256", "kid": "rsa"}, claims()).split(".")
    signature = hmac.digest(pem, f"{head}.{body}".encode(), hashlib.sha256)
    token = spelled({"alg": "HS256", "kid": "rsa"}, claims(), signature)
    assert await refused(verifier, token) == "its algorithm is not taken"


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example.com/jwks"},
        {"x5u": "https://evil.example.com/cert"},
        {"jwk": published("ec")},
        {"x5c": ["MIIB"]},
        {"crit": ["b64"], "b64": True},
    ],
)
async def test_a_key_that_the_token_brings_along_is_refused(verifier: JwtTokenVerifier, header: dict[str, Any]) -> None:
    header = {"alg": "RS256", "kid": "rsa"} | header
    assert (await refused(verifier, spelled(header, claims()))).startswith("its header names")


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "JOSE", 7])
async def test_a_token_of_another_type_is_refused(verifier: JwtTokenVerifier, kind: object) -> None:
    token = spelled({"alg": "RS256", "kid": "rsa", "typ": kind}, claims())
    assert await refused(verifier, token) == "its type is another"


async def test_an_algorithm_of_another_key_is_refused(verifier: JwtTokenVerifier) -> None:
    token = spelled({"alg": "ES256", "kid": "rsa"}, claims(), b"0" * 64)
    assert await refused(verifier, token) == "its algorithm is not that of the key"


async def test_a_signature_by_another_key_is_refused(verifier: JwtTokenVerifier) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(claims(), stranger, algorithm="ES256", headers={"kid": "ec"})
    assert await refused(verifier, token) == "InvalidSignatureError"


async def test_a_token_that_names_no_key_is_refused(verifier: JwtTokenVerifier) -> None:
    assert await refused(verifier, spelled({"alg": "RS256"}, claims())) == "it names no key"


@given(text=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_no_text_is_more_than_refused(text: str) -> None:
    verifier = JwtTokenVerifier(SigningKeys(Issuer().jwks, monotonic=Clock()), RULES)
    with pytest.raises(UnauthenticatedError):
        asyncio.run(verifier.verify(text))


async def test_a_header_that_is_nested_without_end_is_refused(verifier: JwtTokenVerifier) -> None:
    head = base64.urlsafe_b64encode(b"[" * 6_000).decode()
    assert await refused(verifier, f"{head}.e30.") == "DecodeError"


@pytest.mark.parametrize(
    ("claim", "said", "scopes"),
    [
        ("scope", {"scope": "ladderbase:read ladderbase:admin"}, {Scope.READ, Scope.ADMIN}),
        ("scope", {"scope": ["ladderbase:write", 7]}, {Scope.WRITE}),
        ("scope", {"scope": "ladderbase:root read"}, set()),
        ("scope", {"scope": {"ladderbase:read": True}}, set()),
        ("scope", {"scope": None}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["ladderbase:read"]}}, {Scope.READ}),
        ("realm_access.roles", {"realm_access": "ladderbase:read"}, set()),
        ("https://example.com/roles", {"https://example.com/roles": ["ladderbase:read"]}, {Scope.READ}),
    ],
)
async def test_scopes_are_read_from_the_claim_that_is_named(
    issuer: Issuer, clock: Clock, claim: str, said: dict[str, Any], scopes: set[Scope]
) -> None:
    verifier = JwtTokenVerifier(SigningKeys(issuer.jwks, monotonic=clock), replace(RULES, scope_claim=claim))
    assert (await verifier.verify(signed(claims(**said)))).scopes == scopes


async def test_keys_are_fetched_once_for_many_tokens_and_again_when_they_are_old(
    verifier: JwtTokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    await asyncio.gather(*(verifier.verify(signed(claims(), kind)) for kind in KEYS for _ in range(5)))
    assert issuer.asked == 1
    clock.seconds += signing_keys.FRESH_S
    await verifier.verify(signed(claims()))
    assert issuer.asked == 2


async def test_a_new_key_is_fetched_when_a_token_names_it(
    verifier: JwtTokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    issuer.keys = [published("rsa")]
    await verifier.verify(signed(claims()))
    issuer.keys = [published("ec")]
    clock.seconds += signing_keys.ASKED_AGAIN_S
    await verifier.verify(signed(claims(), "ec"))
    assert await refused(verifier, signed(claims())) == "the issuer has no key of this id"


async def test_unknown_ids_do_not_make_us_ask_without_end(
    verifier: JwtTokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    for number in range(50):
        await refused(verifier, signed(claims(), headers={"kid": f"k{number}"}))
        clock.seconds += 1
    assert issuer.asked == 2


async def test_keys_are_kept_through_an_outage_and_not_for_ever(
    verifier: JwtTokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify(signed(claims()))
    issuer.is_away = True
    clock.seconds += signing_keys.KEPT_S - 1
    await verifier.verify(signed(claims()))
    with pytest.raises(UnavailableError):  # a key that nobody can ask for now
        await verifier.verify(signed(claims(), headers={"kid": "new"}))
    clock.seconds += 1
    with pytest.raises(UnavailableError):
        await verifier.verify(signed(claims()))


async def test_nobody_else_waits_for_an_issuer_that_is_slow_where_the_key_is_known(
    issuer: Issuer, clock: Clock
) -> None:
    answers = asyncio.Event()
    answers.set()

    async def slow() -> bytes:
        jwks = await issuer.jwks()
        await answers.wait()
        return jwks

    verifier = JwtTokenVerifier(SigningKeys(slow, monotonic=clock), RULES)
    await verifier.verify(signed(claims()))
    clock.seconds += signing_keys.FRESH_S
    answers.clear()
    first = asyncio.create_task(verifier.verify(signed(claims())))
    stranger = asyncio.create_task(verifier.verify(signed(claims(), headers={"kid": "new"})))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await verifier.verify(signed(claims()))
    assert (first.done(), stranger.done(), issuer.asked) == (False, False, 2)
    answers.set()
    await first
    with pytest.raises(UnauthenticatedError):
        await stranger


async def test_an_issuer_that_is_away_is_not_asked_by_every_request(
    verifier: JwtTokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    issuer.is_away = True
    for _ in range(20):
        with pytest.raises(UnavailableError):
            await verifier.verify(signed(claims()))
    assert issuer.asked == 1
    issuer.is_away = False
    clock.seconds += signing_keys.FAILED_AGAIN_S
    await verifier.verify(signed(claims()))


@pytest.mark.parametrize(
    "unusable",
    [
        published("rsa", use="enc"),
        published("rsa", alg="RS512"),
        published("rsa", kid=7),
        published("rsa", n="!"),
        published("rsa", d="AQAB"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"},
        {"kty": ["RSA"], "kid": "rsa"},
        "rsa",
        None,
    ],
)
async def test_a_key_that_cannot_have_signed_a_token_is_left_out_and_the_others_stay(
    verifier: JwtTokenVerifier, issuer: Issuer, unusable: object
) -> None:
    issuer.keys = [unusable, published("ec")]
    assert await refused(verifier, signed(claims())) == "the issuer has no key of this id"
    await verifier.verify(signed(claims(), "ec"))


async def test_a_key_that_is_too_short_is_left_out(verifier: JwtTokenVerifier, issuer: Issuer) -> None:
    short = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - which is what is refused
    issuer.keys = [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key())), "kid": "short"}]
    token = spelled({"alg": "RS256", "kid": "short"}, claims())
    assert await refused(verifier, token) == "the issuer has no key of this id"


TOO_MANY = b'{"keys": [0' + b", 0" * 64 + b"]}"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"keys": {}}', b"[" * 100_000, TOO_MANY])
async def test_what_is_no_jwks_is_an_outage(clock: Clock, answer: bytes) -> None:
    async def source() -> bytes:
        return answer

    verifier = JwtTokenVerifier(SigningKeys(source, monotonic=clock), RULES)
    with pytest.raises(UnavailableError):
        await verifier.verify(signed(claims()))


async def fetched(transport: httpx.AsyncBaseTransport) -> bytes:
    async with keys_at("https://login.example.com/jwks", transport) as source:
        return await source()


async def pieces(*sent: bytes) -> AsyncIterator[bytes]:
    for piece in sent:
        yield piece


async def test_keys_come_from_the_address() -> None:
    assert await fetched(httpx.MockTransport(lambda _: httpx.Response(200, content=pieces(b"{", b"}")))) == b"{}"


async def test_what_is_compressed_is_not_unpacked_before_it_is_counted() -> None:
    bomb = gzip.compress(b"x" * (MAX_JWKS_BYTES + 1))

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=pieces(bomb))

    assert await fetched(httpx.MockTransport(respond)) == bomb


async def test_an_address_that_is_none_ends_the_start() -> None:
    with pytest.raises(MisconfiguredError):
        async with keys_at("https://login.example.com:x/certs"):
            pass


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(302, headers={"location": "https://evil.example.com/jwks"}),
        httpx.Response(404),
        httpx.Response(500),
    ],
)
async def test_an_answer_that_is_none_is_an_outage_and_no_redirect_is_followed(response: httpx.Response) -> None:
    asked: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return response

    with pytest.raises(UnavailableError):
        await fetched(httpx.MockTransport(respond))
    assert len(asked) == 1


async def test_an_answer_without_end_is_an_outage() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    with pytest.raises(UnavailableError, match="bytes"):
        await fetched(httpx.MockTransport(lambda _: httpx.Response(200, content=endless())))


async def test_an_answer_that_trickles_in_is_an_outage() -> None:
    async def trickling() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=trickling()))
    async with keys_at("https://login.example.com/jwks", transport, answer_s=0.1) as source:
        with pytest.raises(UnavailableError, match=r"within 0\.1 s"):
            await source()


async def test_an_address_where_nobody_answers_is_an_outage() -> None:
    async with keys_at("http://127.0.0.1:9/jwks") as source:
        with pytest.raises(UnavailableError):
            await source()


async def test_keys_come_from_a_file_that_is_read_anew(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "jwks.json"
    source: KeySource = keys_in(file)
    with pytest.raises(UnavailableError, match="No such file"):
        await source()
    file.write_text(json.dumps({"keys": [published("ed")]}))
    verifier = JwtTokenVerifier(SigningKeys(source, monotonic=clock), RULES)
    await verifier.verify(signed(claims(), "ed"))
    file.write_bytes(b"x" * (MAX_JWKS_BYTES + 1))
    with pytest.raises(UnavailableError, match="bytes"):
        await source()


def test_every_algorithm_is_tested() -> None:
    assert set(ALGORITHM_OF.values()) == set(signing_keys.ALGORITHMS.values())
