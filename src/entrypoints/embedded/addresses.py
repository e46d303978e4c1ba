"""Where the servers of an embedded product listen, for commands that are started beside it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from entrypoints.embedded.component import StartError
from entrypoints.embedded.folders import private_folder, write_private

_FILE = Path("run") / "addresses.json"


@contextmanager
def addresses_kept(data_dir: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Keep these settings, passwords among them, where their owner alone can read them, for the block's length."""
    file = data_dir / _FILE
    private_folder(file.parent)
    write_private(file, json.dumps(settings))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def kept_addresses(data_dir: Path) -> dict[str, str]:
    """The settings of the product that is up on this folder. Raises StartError when none is."""
    try:
        settings: dict[str, str] = json.loads((data_dir / _FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StartError(f"nothing runs on {data_dir}: start `ladderbase run --data-dir {data_dir}`") from error
    return settings
