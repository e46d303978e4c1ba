"""What a test run tells at its end, whichever of its processes knows it."""

import pytest

CLOSING_LINES = pytest.StashKey[list[str]]()


def closing_lines(config: pytest.Config) -> list[str]:
    """The lines so far, to be added to."""
    return config.stash.setdefault(CLOSING_LINES, [])
