"""In which language an answer speaks to people: what its caller prefers (RFC 9110, 12.5.4), of those that there are."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from litestar.types import Scope

from domain.told import Told
from entrypoints.api.codes import FAILURES, FINDINGS, REQUESTS
from entrypoints.api.korean import files, requests, titles

ACCEPTED_HEADER = "Accept-Language"
LANGUAGE_HEADER = "Content-Language"
MOST_RANGES = 32
_KEY = "language"
_RANGE = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(?P<q>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.IGNORECASE | re.ASCII,
)


class Language(StrEnum):
    """What the service speaks, the one first that it speaks to whoever names none of them."""

    ENGLISH = "en"
    KOREAN = "ko"


LANGUAGE_PARAMETER = Parameter(
    name=ACCEPTED_HEADER,
    param_in="header",
    schema=Schema(type=OpenAPIType.STRING, default=Language.ENGLISH.value, examples=["ko-KR,ko;q=0.9,en;q=0.8"]),
    description="The language of problems, findings and titles: `ko` or `en`. What depends on it says so in Vary, and"
    " which it is in Content-Language. Codes, keys and names stay as they are.",
)


@dataclass
class SpokenOperation(Operation):
    """An operation whose answers, its problems at least, are in the language that is asked for."""

    def __post_init__(self) -> None:
        self.parameters = [*(self.parameters or ()), LANGUAGE_PARAMETER]


def language_of(scope: Scope) -> Language:
    """What this request prefers. Who asks makes the answer depend on it, and `language_headers` will say so."""
    state = scope.setdefault("state", {})
    if _KEY not in state:
        sent = b",".join(value for name, value in scope["headers"] if name == b"accept-language")
        state[_KEY] = preferred(sent.decode("latin-1"))
    return Language(state[_KEY])


def language_headers(scope: Scope, sent: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What an answer with the headers `sent` has to say besides, once its language was asked for."""
    language = scope.get("state", {}).get(_KEY)
    if language is None:
        return []
    is_said = any(name.lower() == b"content-language" for name, _ in sent)  # an earlier request's answer keeps its own
    said = [] if is_said else [(b"content-language", language.encode())]
    return [(b"vary", ACCEPTED_HEADER.encode()), *said]


def preferred(accepted: str) -> Language:
    """The language with the highest weight in an Accept-Language, the first of equals; English where there is none.

    What cannot be read is passed over, and so are ranges behind the thirty-second.
    """
    weights: dict[str, float] = {}
    for primary, weight in _ranges(accepted):
        weights[primary] = max(weight, weights.get(primary, 0.0))
    named = [Language(primary) for primary in weights if primary in set(Language)]
    by_preference = [*named, *(language for language in Language if language not in named)]
    others = weights.get("*", 0.0)
    best = max(by_preference, key=lambda language: weights.get(language, others))
    return best if weights.get(best, others) else Language.ENGLISH


def in_language(sentence: Told, language: Language) -> str:
    """The sentence, and every sentence in it, in that language: English where nobody translated it."""
    if language is Language.ENGLISH:
        return str(sentence)
    values = {
        name: in_language(value, language) if isinstance(value, Told) else value
        for name, value in sentence.values.items()
    }
    return _KOREAN.get(sentence.template, sentence.template).format_map(values)


def title_in(title: str, language: Language) -> str:
    """A sentence of the list of codes."""
    return in_language(Told(title, {}), language)


def failure_title(code: str, language: Language) -> str:
    """What to do about a document that failed under this code; empty for one that only a newer version knows."""
    title = FAILURES.get(code) or FINDINGS.get(code)
    return title_in(title, language) if title else ""


def _ranges(accepted: str) -> Iterator[tuple[str, float]]:
    """The primary subtag of each language range (lower case, or `*`), and its weight."""
    for written in accepted.split(",", MOST_RANGES)[:MOST_RANGES]:
        if match := _RANGE.fullmatch(written.strip(" \t")):
            yield match["tag"].partition("-")[0].lower(), float(match["q"] or 1.0)


def _titles() -> Mapping[str, str]:
    """Each English title with its Korean one; a test holds that there is one for every code."""
    kinds = (
        ({code: title for code, (_, title) in REQUESTS.items()}, titles.REQUESTS),
        (FINDINGS, titles.FINDINGS),
        (FAILURES, titles.FAILURES),
    )
    return {title: korean[code] for english, korean in kinds for code, title in english.items() if code in korean}


_KOREAN = {**files.SENTENCES, **requests.SENTENCES, **_titles()}
