"""Bring what the processes of a test run have to tell to its end."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from builders.closing_lines import closing_lines

_SENT_AS = "closing_lines"
_TOGETHER = ("tests/faults/", "tests/bad_inputs/")
_UNIT = "tests/unit/"
# A slow machine says nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
pytest.register_assert_rewrite("contracts", "faults.checker")  # that a failure tells the values


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """One process of several takes a file as a whole; of the bad inputs all, which are judged together.

    And of the faults all, whose servers are slow to start. What lasts longest comes first, for at the end a process
    would be alone with it: these folders, then the files of few tests, which wait for programs. The unit tests fill
    what is left. (xdist itself begins with the files of the most tests.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in _TOGETHER if file.startswith(folder)), file)

    def _assign_work_unit(self, node: Any) -> None:  # noqa: ANN401 - xdist gives its controllers no types
        self.workqueue.move_to_end(min(self.workqueue, key=self._turn), last=False)
        super()._assign_work_unit(node)

    def _turn(self, scope: str) -> tuple[bool, bool, int]:
        return scope.startswith(_UNIT), scope not in _TOGETHER, len(self.workqueue[scope])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:  # noqa: ANN401 - xdist's
    """See ByFile; a run that asks for another distribution gets that."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one process of several, hand the lines to the one that prints."""
    sent: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if sent is not None:
        sent[_SENT_AS] = closing_lines(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - pytest-xdist gives its controllers no types
    """Take over what a process told. One that died told nothing."""
    closing_lines(node.config).extend(getattr(node, "workeroutput", {}).get(_SENT_AS, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers the tests ran against, and the seeds and figures of long runs."""
    for line in dict.fromkeys(closing_lines(config)):
        terminalreporter.write_line(line)
