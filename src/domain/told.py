"""Sentences for people, in English, that still know their template: the edge may say one in another language."""

from collections.abc import Mapping
from typing import Self


class Told(str):
    """What `template` says with the values in it; a value may be told itself.

    A text like any other, except that it survives the way out of a child process with its parts. Whatever is made of
    it (joined, cut, formatted) is a plain text again.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """Put the values into the template, as `str.format` does."""
        self = super().__new__(cls, template.format_map(values))
        self.template = template
        self.values = values
        return self

    def __reduce__(self) -> tuple[type["Told"], tuple[str, Mapping[str, object]]]:
        """Pickle the parts: the text follows from them."""
        return Told, (self.template, self.values)


def told(template: str, /, **values: object) -> Told:
    """A sentence; the template is always written out where it is told, so that every one of them can be found."""
    return Told(template, values)
