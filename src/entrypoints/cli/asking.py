"""One question to the service, from a command: who is asked, and how its refusal is told."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import click
import httpx

from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import api_key, spoken
from entrypoints.cli.problems import NoServiceError, RefusedError
from entrypoints.cli.rendering import show_refusal
from entrypoints.cli.service import Service, connected

Transport = httpx.AsyncBaseTransport | None
T = TypeVar("T")


def asked(question: Callable[[Service], Awaitable[T]], *, url: str, transport: Transport, as_json: bool) -> T:
    """What the question brings from the service at `url`; `transport` is a test's.

    A refusal ends the command with exit code 1 and the problem, as JSON or in words. SIGTERM is as good as Ctrl-C: the
    question clears up first.
    """
    try:
        return asyncio.run(_asked(question, url, transport))
    except RefusedError as error:
        show_refusal(error, as_json=as_json)
        sys.exit(REFUSED)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _asked(question: Callable[[Service], Awaitable[T]], url: str, transport: Transport) -> T:
    if (task := asyncio.current_task()) is not None:
        with suppress(NotImplementedError):  # Windows, where engineers are at home, knows no SIGTERM
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with connected(url, transport, api_key=api_key(), language=spoken(), on_wait=_tell_wait) as service:
        return await question(service)


def _tell_wait(error: NoServiceError) -> None:
    click.echo(f"{error.format_message()}; asked again in {error.wait_s:.0f} s", err=True)
