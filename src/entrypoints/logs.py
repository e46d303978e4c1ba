"""How the processes log: one line per fact, to standard error, never a body or a secret."""

import json
import logging
import re

_WORD = re.compile(r"[A-Za-z0-9._:/{}-]+")
OWN = ("ladderbase", "domain", "application", "adapters", "entrypoints")
_QUIET = {"arq.worker": logging.WARNING, "alembic": logging.WARNING, "httpx": logging.WARNING}


def configure_logging(level: str) -> None:
    """Set up the root logger once per process.

    DEBUG is for our own lines: those of libraries quote requests with their headers, which hold keys and tokens.
    """
    logging.basicConfig(
        level=max(logging.getLevelName(level), logging.INFO), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def quoted(text: str) -> str:
    """A value that is one word of a line, whatever it holds; `-` where there is none."""
    return text if _WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False) if text else "-"
