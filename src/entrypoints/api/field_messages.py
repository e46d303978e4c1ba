"""The validation library's messages in the words of a caller: no type name of ours, the field named."""

import re

from domain.told import Told, told
from entrypoints.api.refusals import FieldProblem

_WORDS = {
    "str": told("text"),
    "int": told("a whole number"),
    "float": told("a number"),
    "bool": told("true or false"),
    "object": told("an object"),
    "array": told("a list"),
    "null": told("null"),
}
_MISSING = re.compile(r"missing required field `(?P<field>.*)`")
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>.*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_EXPECTED = re.compile(
    r"Expected `(?P<what>[^`]*)`(?:, got `(?P<came>[^`]*)`| of length (?P<length>[<>=]* ?\d+)| (?P<bound>[<>]=? ?\S+))?"
)
_LONGEST_NAME = 64


def field_problem(message: str, *, field: str = "") -> FieldProblem:
    """One message of msgspec as a problem of a field; `field` where the message does not name it."""
    place = _PLACE.search(message)
    expectation = message[: place.start()] if place else message
    name = field or (place["field"] if place else "") or "body"
    if missing := _MISSING.search(expectation):
        return _problem(missing["field"], "field_missing", told("it is missing"), told("Send it."))
    if unknown := _UNKNOWN.search(expectation):
        return _problem(unknown["field"], "field_unknown", told("there is no such field"), told("Leave it out."))
    if expectation.startswith("Invalid enum value"):
        return _problem(
            name, "field_invalid", told("it is none of the known values"), told("See /schema/openapi.json.")
        )
    if "matching regex" in expectation:
        return _problem(name, "field_invalid", told("it is not of the form that such a value has"), told("Check it."))
    if expectation.startswith("Expected"):
        return _problem(name, "field_invalid", _expected(expectation), told("Correct it."))
    return _problem(name, "field_invalid", told("it cannot be used"), told("Correct it."))


def _problem(field: str, code: str, message: Told, hint: Told) -> FieldProblem:
    return FieldProblem(field=field[:_LONGEST_NAME], code=code, message=message, hint=hint)


def _expected(expectation: str) -> Told:
    match = _EXPECTED.fullmatch(expectation)
    if match is None:
        return told("it cannot be used")
    what = _in_words(match["what"])
    if match["came"]:
        return told("expected {what}, got {came}", what=what, came=_in_words(match["came"]))
    if match["length"]:
        return told("expected {what} of length {length}", what=what, length=match["length"])
    if match["bound"]:
        return told("expected {what} {bound}", what=what, bound=match["bound"])
    return told("expected {what}", what=what)


def _in_words(types: str) -> Told:
    first, *others = (_WORDS.get(name, told("another value")) for name in types.split(" | "))
    for other in others:
        first = told("{one} or {other}", one=first, other=other)
    return first
