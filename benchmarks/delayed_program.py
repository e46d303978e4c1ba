"""The product's API or worker, the ports of its container wrapped (see delays.py): `python -m delayed_program api`."""

import sys

from delays import wrapped
from entrypoints import lifespan, worker
from entrypoints.api import main as api


def main() -> None:
    """Run one of the two."""
    program = {"api": api, "worker": worker}[sys.argv[1]]
    vars(program)["opened"] = wrapped(lifespan.opened)
    program.main()


if __name__ == "__main__":
    main()
