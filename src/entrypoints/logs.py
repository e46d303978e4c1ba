"""How the processes log: one line per fact, to standard error, never a body or a secret."""

import logging

_QUIET = {"arq.worker": logging.WARNING, "alembic": logging.WARNING, "httpx": logging.WARNING}


def configure_logging(level: str) -> None:
    """Set up the root logger once per process."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
