"""What runs on this machine, as far as the system tells."""

from pathlib import Path

_PROC = Path("/proc")


def running_in(folder: Path, *, program: str) -> list[int]:
    """The ids of processes called `program` whose working folder is `folder`.

    Ask on Linux alone: elsewhere the answer is always empty.
    """
    place = folder.resolve()
    found = []
    for entry in _PROC.glob("[0-9]*"):
        try:
            if (entry / "comm").read_text().strip() == program and (entry / "cwd").readlink() == place:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended since, or is not ours to look at
    return found
