"""What the image ships of a universal lock file: `python tools/shipped.py LOCK` prints it, hashes and all."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement

# That of the Dockerfile: CPython 3.11 on Linux. Which patch of 3.11 it is makes no difference from 3.11.3 on.
IMAGE: Mapping[str, str] = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.14",
    "python_version": "3.11",
    "sys_platform": "linux",
}
_ENTRY = re.compile(r"^[A-Za-z0-9].*(?:\n[ \t]+.*)*", re.MULTILINE)


def entries(lock: str) -> Iterator[tuple[str, str, str]]:
    """(name, version, the whole entry without its marker) of each package that the image gets."""
    for entry in _ENTRY.findall(lock):
        spelled, backslash, hashes = entry.partition(" \\\n")
        wanted = Requirement(spelled)
        if wanted.marker is None or wanted.marker.evaluate(dict(IMAGE)):
            pinned = f"{wanted.name}{wanted.specifier}"
            yield wanted.name, str(wanted.specifier).removeprefix("=="), f"{pinned}{backslash}{hashes}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{entry}\n" for _, _, entry in entries(Path(sys.argv[1]).read_text("utf-8")))
