"""Which build runs here."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from adapters.postgres.migrations_runner import newest_revision

NAME = "ladderbase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The version, the commit it was built from (empty where nobody said so), and the schema that it needs."""

    version: str
    commit: str
    migration: str


def this_build(commit: str = "") -> Build:
    """What runs here, of this commit."""
    return Build(version=product_version(), commit=commit, migration=newest_revision())


def product_version() -> str:
    """The installed version; a bare source tree has none."""
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "0+source"
