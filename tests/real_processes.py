"""What tests ask the system about processes that really run (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path


def lives(process_id: int) -> bool:
    """Whether the process runs. A zombie that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def status_of(process_id: int) -> dict[str, str]:
    """What the kernel says of a process, by field."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def are_stopped(process_id: int) -> bool:
    """Whether SIGSTOP holds each of its threads: they stop one by one, and until then the others still answer."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return all("\nState:\tT" in (task / "status").read_text() for task in tasks)


def command_line(process_id: int) -> str:
    """The words of its command line; empty when it has ended."""
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        return ""


def children_of(process_id: int) -> list[int]:
    """The processes that it started and that are still its own."""
    try:
        return [int(word) for word in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants_of(process_id: int) -> Iterator[int]:
    """Its children, theirs, and so on."""
    for child in children_of(process_id):
        yield child
        yield from descendants_of(child)


def cpu_s_of(process_id: int) -> float:
    """The seconds of processor time that it has used so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
