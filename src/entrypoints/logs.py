"""How the processes log: one line per fact, to standard error, never a body or a secret."""

import json
import logging
import re
import time

_WORD = re.compile(r"[A-Za-z0-9._:/{}-]+")
OWN = ("ladderbase", "domain", "application", "adapters", "entrypoints")
_QUIET = {"arq.worker": logging.WARNING, "alembic": logging.WARNING, "httpx": logging.WARNING}


class _IsoFormatter(logging.Formatter):
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def configure_logging(level: str) -> None:
    """Set up the root logger once per process. Times are UTC, whatever the machine's own.

    DEBUG is for our own lines: those of libraries quote requests with their headers, which hold keys and tokens.
    """
    handler = logging.StreamHandler()
    formatter = _IsoFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=max(logging.getLevelName(level), logging.INFO), handlers=[handler])
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def quoted(text: str) -> str:
    """A value that is one word of a line, whatever it holds; `-` where there is none."""
    if _WORD.fullmatch(text):
        return text
    return "".join(map(_printable, json.dumps(text, ensure_ascii=False))) if text else "-"


def _printable(character: str) -> str:
    """JSON leaves U+2028 and marks of direction as they are, which break or turn a line for whoever reads it."""
    return character if character.isprintable() else json.dumps(character)[1:-1]
