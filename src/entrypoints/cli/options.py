"""The options that every command over the HTTP API takes."""

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

API_KEY, URL = "LADDERBASE_API_KEY", "LADDERBASE_URL"
DEFAULT_URL = "http://127.0.0.1:8000"
F = TypeVar("F", bound=Callable[..., Any])


def service_options(command: F) -> F:
    """`--url` and `--json`."""
    url = click.option(
        "--url", envvar=URL, default=DEFAULT_URL, show_default=True, show_envvar=True, help="The service."
    )
    return url(json_option(command))


def json_option(command: F) -> F:
    """`--json`, of a command that prints one document."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for scripts.")(command)


def wait_options(command: F) -> F:
    """`--no-wait` and `--timeout`."""
    no_wait = click.option("--no-wait", is_flag=True, help="Do not wait until it is searchable.")
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Wait so long at most; while it moves on, for ever when left out.",
    )
    return no_wait(timeout(command))


def api_key() -> str:
    """What LADDERBASE_API_KEY says, a key or a token; empty where nothing is asked for. No option: others see those."""
    key = os.environ.get(API_KEY, "").strip()
    if not re.fullmatch("[!-~]*", key):
        raise click.UsageError(f"{API_KEY} holds what no key does")
    return key


def spoken() -> str:
    """The language of the terminal, as far as the service speaks it: what LC_ALL says, else LC_MESSAGES, else LANG."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "ko" if re.match(r"ko(?![a-z])", locale, re.IGNORECASE) else "en"
