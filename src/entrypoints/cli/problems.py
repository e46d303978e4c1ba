"""How a question to the service can fail, each with its exit code."""

from collections.abc import Mapping
from typing import Any

import click

from entrypoints.cli.exit_codes import NO_SERVICE, REFUSED, TIMED_OUT
from entrypoints.cli.printable import printable

Answer = Mapping[str, Any]


class RefusedError(click.ClickException):
    """The service understood and declined; `problem` is its answer."""

    exit_code = REFUSED

    def __init__(self, problem: Answer) -> None:
        title, detail = problem.get("title", "The request was refused."), problem.get("detail", "")
        super().__init__(printable(f"{title} {detail}" if detail not in {"", title} else title))
        self.problem = problem


class NoServiceError(click.ClickException):
    """Nobody answers, or somebody does who cannot do the work now; `may_pass` where a repeat may find it done.

    A repeat makes no sense before `wait_s` seconds are over.
    """

    exit_code = NO_SERVICE

    def __init__(self, message: str, *, may_pass: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(printable(message))
        self.may_pass = may_pass
        self.wait_s = wait_s


class TimedOutError(click.ClickException):
    """What was waited for goes on at the service, and nobody waits for it any more."""

    exit_code = TIMED_OUT
