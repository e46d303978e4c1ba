"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from entrypoints.cli.rendering import screen, size

OnBytes = Callable[[int, int | None], None]
OnDone = Callable[[int, int], None]


@contextmanager
def bytes_bar(verb: str, then: str = "") -> Iterator[OnBytes]:
    """Called with how many bytes are through, of how many; `then` is what goes on once all are."""
    console = screen(stderr=True)
    if not console.is_terminal:
        yield _in_a_line(console, verb)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(verb, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, description=then if then and done == total else verb)

        yield show


@contextmanager
def documents_bar(verb: str) -> Iterator[OnDone]:
    """Called with how many documents are done, of how many."""
    console = screen(stderr=True)
    if not console.is_terminal:
        yield _in_lines(console, verb)
        return
    columns = (TextColumn(verb), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _in_a_line(console: Console, verb: str) -> OnBytes:
    """One line, with the first bytes: nobody looks at it meanwhile."""
    is_told = False

    def tell(_: int, total: int | None) -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            console.print(f"{verb} {size(total)}" if total else verb, style="dim")

    return tell


def _in_lines(console: Console, verb: str) -> OnDone:
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        if done != told:
            told = done
            console.print(f"{verb} {done} of {total}", style="dim")

    return tell
