"""Any sequence of uploads, changes, deletes, losses, crashes and outages ends as the model says, and so on the way.

The whole service over the fakes: what is judged are the product's use cases and their order, not its adapters.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from application.retry_documents import Include
from faults.interference import Kind, Strike
from faults.model import LADDERS, NOTES, Files
from faults.modelled_service import Loss, ModelledService, a_modelled_service

T = TypeVar("T")

# As many places as most work passes, and most requests.
_STRIKES = st.lists(st.builds(Strike, st.sampled_from(Kind), st.integers(0, 32)), min_size=1, max_size=2)
_STRIKES_OF_A_REQUEST = st.lists(st.builds(Strike, st.sampled_from(Kind), st.integers(0, 12)), max_size=1)
_FILES = st.dictionaries(
    st.sampled_from(["0000_11", "0001_11", "0002_11"]), st.sampled_from(sorted(LADDERS)), min_size=1, max_size=2
)
_NAMES = st.sampled_from(["a.md", "b.md"])
_CONTENTS = st.sampled_from(sorted(NOTES))


class SameThread(ThreadPoolExecutor):
    """Does at once what is to be done in a thread: a sequence that failed must fail again when it is repeated."""

    def submit(self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(function(*arguments, **keywords))
        except BaseException as error:  # noqa: BLE001 - whoever awaits the future is told
            future.set_exception(error)
        return future


class ServiceMachine(RuleBasedStateMachine):
    """Rules are what clients and operators ask, what workers do, and what goes wrong."""

    programs: Bundle[str] = Bundle("programs")

    @initialize(target=programs)
    def begin(self) -> str:
        """With a program that is indexed: there is little to go wrong before."""
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(SameThread())
        self.folder = Path(tempfile.mkdtemp(prefix="ladderbase-model-"))
        self.modelled: ModelledService = self._run(a_modelled_service(self.folder))
        first = self._run(self.modelled.upload({"0000_11": "conveyor", "0001_11": "door"}, []))
        self._run(self.modelled.work())
        assert first
        return first

    def teardown(self) -> None:
        if hasattr(self, "modelled"):
            try:
                self._run(self.modelled.become_quiet())
            finally:
                self.loop.close()
                shutil.rmtree(self.folder)

    # What clients and operators ask.

    @rule(target=programs, files=_FILES, strikes=_STRIKES_OF_A_REQUEST)
    def upload(self, files: Files, strikes: list[Strike]) -> "str | MultipleResults[str]":
        return self._then_search(self.modelled.upload(files, strikes)) or multiple()

    @rule(pgm_id=programs, files=_FILES | st.none(), strikes=_STRIKES_OF_A_REQUEST)
    def replace(self, pgm_id: str, files: Files | None, strikes: list[Strike]) -> None:
        """Without files by those that it has."""
        self._then_search(self.modelled.replace(pgm_id, files, strikes))

    @rule(pgm_id=programs, strikes=_STRIKES_OF_A_REQUEST)
    def delete(self, pgm_id: str, strikes: list[Strike]) -> None:
        self._then_search(self.modelled.delete(pgm_id, strikes))

    @rule(pgm_id=programs, name=_NAMES, content=_CONTENTS, strikes=_STRIKES_OF_A_REQUEST)
    def add_document(self, pgm_id: str, name: str, content: str, strikes: list[Strike]) -> None:
        self._then_search(self.modelled.add_document(pgm_id, name, content, strikes))

    @rule(pgm_id=programs, nth=st.integers(0, 1), strikes=_STRIKES_OF_A_REQUEST)
    def remove_document(self, pgm_id: str, nth: int, strikes: list[Strike]) -> None:
        if names := sorted(self.modelled.model.programs[pgm_id].notes):
            self._then_search(self.modelled.remove_document(pgm_id, names[nth % len(names)], strikes))

    @rule(pgm_id=programs, include=st.sampled_from(Include), strikes=_STRIKES_OF_A_REQUEST)
    def retry(self, pgm_id: str, include: Include, strikes: list[Strike]) -> None:
        self._then_search(self.modelled.retry(pgm_id, include, strikes))

    @rule(pgm_id=programs, nth=st.integers(0, 4))
    def reindex_one(self, pgm_id: str, nth: int) -> None:
        self._then_search(self.modelled.reindex_one(pgm_id, nth))

    # What workers do.

    @rule(nth=st.integers(0, 5), strikes=_STRIKES, stays=st.booleans())
    def work_on_one(self, nth: int, strikes: list[Strike], *, stays: bool) -> None:
        """Take one job of those that wait, in no order; the queue may hand it out again.

        Where none waits a program is indexed anew, for most steps would have nothing to go wrong.
        """
        self._run(self.modelled.find_work())
        if waiting := self.modelled.service.dispatcher.waiting:
            name = list(waiting)[nth % len(waiting)]
            claimed = waiting[name] if stays else waiting.pop(name)
            self._then_search(self.modelled.handle(claimed, strikes))

    @rule(pgm_id=programs, strikes=_STRIKES)
    def reindex_under(self, pgm_id: str, strikes: list[Strike]) -> None:
        """All of a program, at once: what is struck most must not be come upon by luck alone."""
        self._run(self.modelled.retry(pgm_id, Include.ALL, []))
        self.work_on_one(-1, strikes, stays=False)

    @rule()
    def work(self) -> None:
        self._then_search(self.modelled.work())

    @rule(strikes=_STRIKES)
    def keep_index(self, strikes: list[Strike]) -> None:
        self._then_search(self.modelled.keep_index(strikes))

    # What goes wrong, and time.

    @rule(loss=st.sampled_from(Loss))
    def lose(self, loss: Loss) -> None:
        self.modelled.lose(loss)

    @rule(seconds=st.sampled_from([1, 31, 600]))
    def wait(self, seconds: int) -> None:
        self._run(self.modelled.service.registry.clock.advance(timedelta(seconds=seconds)))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _then_search(self, work: Coroutine[Any, Any, T]) -> T:
        """At every moment only what lives may be found. No invariant, whose line would stand behind each rule's."""
        result = self._run(work)
        self._run(self.modelled.search())
        return result


def run_quietly(machine: type[ServiceMachine], sequences: settings) -> None:
    """Fails with the shortest sequence that it finds. Thousands of lines of logs would hide its steps."""
    logging.disable(logging.CRITICAL)
    try:
        run_state_machine_as_test(machine, settings=sequences)
    finally:
        logging.disable(logging.NOTSET)
