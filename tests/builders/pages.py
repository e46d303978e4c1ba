"""Pages whose commands tests run: their blocks, a shell that runs them, and whether what it said is what they show.

What stands beneath a block of commands (`json`, `http` or `text`) is what they answer. Fields and headers that are not
shown may be there; `…` in a text is whatever differs each time, and a list that ends with it goes on.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANYTHING = "…"
_LONGEST_S = 200
_FENCED = re.compile(r"^## (?P<section>[^\n]*)$|^```(?P<language>\w+)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Commands of a page, and what it shows beneath them; `language` is empty where it shows nothing."""

    section: str
    commands: str
    language: str = ""
    shown: str = ""


def steps_of(page: Path, *, asked: str = "sh") -> list[Step]:
    """The blocks of a page that ask something, each with the answer that follows in its section, if any."""
    steps: list[Step] = []
    section, is_answered = "", True
    for found in _FENCED.finditer(page.read_text("utf-8")):
        language, content = found["language"], found["content"]
        if language is None:
            section, is_answered = found["section"], True
        elif language == asked:
            steps.append(Step(section=section, commands=content))
            is_answered = False
        elif not is_answered:
            steps[-1] = Step(section=section, commands=steps[-1].commands, language=language, shown=content)
            is_answered = True
    return steps


def ran(commands: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[str]:
    """What each of them wrote to standard output, one after the other in one shell that starts in `folder`.

    The first that fails ends it with an AssertionError. No proxy of the environment stands before this machine.
    """
    outputs = [folder / f"said-{number}" for number in range(len(commands))]
    script = "".join(
        f'{{\n{block}}} > "{output}"\necho {number}\n'
        for number, (block, output) in enumerate(zip(commands, outputs, strict=True))
    )
    shell = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    done = len(shell.stdout.split())
    if shell.returncode:
        said = outputs[done].read_text("utf-8", "replace")
        raise AssertionError(f"exit code {shell.returncode}:\n{commands[done]}\n{said}\n{shell.stderr}")
    return [output.read_text("utf-8") for output in outputs]


def difference(step: Step, said: str) -> str:
    """Where what was said is not what the page shows; empty where it is."""
    match step.language:
        case "":
            return f"nothing is shown, but it says {said!r}" if said.strip() else ""
        case "json":
            return _of_json(json.loads(step.shown), json.loads(said), "")
        case "http":
            return _of_http(step.shown, said)
        case _:
            return _of_lines(step.shown, said)


def _of_http(shown: str, said: str) -> str:
    head, _, body = shown.partition("\n\n")
    said_head, _, said_body = said.replace("\r\n", "\n").partition("\n\n")
    status, *headers = head.strip().splitlines()
    said_status, *said_headers = said_head.splitlines()
    if not _is_like(status, said_status):
        return f"{said_status} instead of {status}: {said_body}"
    there = {name.lower(): value for name, _, value in (line.partition(": ") for line in said_headers)}
    for name, _, value in (line.partition(": ") for line in headers):
        if not _is_like(value, there.get(name.lower(), "")):
            return f"{name} is {there.get(name.lower())!r} instead of {value!r}"
    return _of_json(json.loads(body), json.loads(said_body), "") if body.strip() else ""


def _of_lines(shown: str, said: str) -> str:
    """Lines may stand before, between and behind those that are shown."""
    left = iter(said.splitlines())
    missing = [line for line in shown.splitlines() if not any(_is_like(line, each) for each in left)]
    return f"{missing[0]!r} is not said: {said}" if missing else ""


def _of_json(shown: object, said: object, place: str) -> str:
    match shown, said:
        case dict(), dict():
            lacking = [f"{place}.{key} is missing" for key in shown if key not in said]
            parts = [_of_json(value, said[key], f"{place}.{key}") for key, value in shown.items() if key in said]
            return next(filter(None, lacking + parts), "")
        case list(), list():
            goes_on = shown[-1:] == [ANYTHING]
            listed = shown[:-1] if goes_on else shown
            if len(said) < len(listed) or (len(said) > len(listed) and not goes_on):
                return f"{place} has {len(said)} items instead of {len(listed)}: {said}"
            pairs = enumerate(zip(listed, said, strict=False))
            return next(filter(None, (_of_json(one, other, f"{place}[{n}]") for n, (one, other) in pairs)), "")
        case str(), str():
            return "" if _is_like(shown, said) else f"{place} is {said!r} instead of {shown!r}"
    return "" if shown in (said, ANYTHING) else f"{place} is {said!r} instead of {shown!r}"


def _is_like(shown: str, said: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, shown.split(ANYTHING))), said, re.DOTALL) is not None
