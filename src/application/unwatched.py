"""Nobody looks on."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.events import StartedEvent
from domain.ports.work_watch import Tell, WorkResult, WorkWatch


class Unwatched(WorkWatch):
    """For whoever has nobody to tell."""

    @contextmanager
    def work(self, started: StartedEvent) -> Iterator[Tell]:  # noqa: ARG002 - the port's signature
        """See the port."""

        def tell(result: WorkResult) -> None:
            """To nobody."""

        yield tell

    def rescued(self, claims: int) -> None:
        """See the port."""


UNWATCHED = Unwatched()
