"""The validation library's messages in the words of a caller: no type name of ours, the field named."""

import re

from entrypoints.api.refusals import FieldProblem

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_MISSING = re.compile(r"missing required field `(?P<field>.*)`")
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>.*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_TYPES = re.compile(r"`(?P<types>[^`]*)`")
_LONGEST_NAME = 64


def field_problem(message: str, *, field: str = "") -> FieldProblem:
    """One message of msgspec as a problem of a field; `field` where the message does not name it."""
    place = _PLACE.search(message)
    expectation = message[: place.start()] if place else message
    name = field or (place["field"] if place else "") or "body"
    if missing := _MISSING.search(expectation):
        return _problem(missing["field"], "field_missing", "it is missing", "Send it.")
    if unknown := _UNKNOWN.search(expectation):
        return _problem(unknown["field"], "field_unknown", "there is no such field", "Leave it out.")
    if expectation.startswith("Invalid enum value"):
        return _problem(name, "field_invalid", "it is none of the known values", "See /schema/openapi.json.")
    if "matching regex" in expectation:
        return _problem(name, "field_invalid", "it is not of the form that such a value has", "Check it.")
    if expectation.startswith("Expected"):
        return _problem(name, "field_invalid", f"e{_TYPES.sub(_in_words, expectation)[1:]}", "Correct it.")
    return _problem(name, "field_invalid", "it cannot be used", "Correct it.")


def _problem(field: str, code: str, message: str, hint: str) -> FieldProblem:
    return FieldProblem(field=field[:_LONGEST_NAME], code=code, message=message, hint=hint)


def _in_words(types: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(name, "another value") for name in types["types"].split(" | "))
