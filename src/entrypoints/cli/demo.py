"""`ladderbase demo`: the main job once, from nothing to a rung that is found, and everything stopped again."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from entrypoints.cli.options import json_option, spoken
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import print_hit, print_json, screen
from entrypoints.cli.service import Service, UploadFiles, connected
from entrypoints.cli.upload import show_outcome, show_registered
from entrypoints.cli.waiting import follow
from entrypoints.embedded.component import StartError
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
_HITS_SHOWN = 3
# On loopback, for as long as it takes: nobody is asked for a key, whatever the environment says.
_OPEN = {
    "AUTH": "off",
    **dict.fromkeys(("OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URL", "OIDC_JWKS_FILE"), ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search, and the words that one of its first hits must hold in its logic's name or its title."""

    what: str
    query: str
    expected: str
    within: int = _HITS_SHOWN


QUESTIONS = (
    Question(what="a device", query="M101", expected="컨베이어 자동 운전"),
    Question(what="a Korean sentence", query="토크가 상한을 넘으면 어떻게 되나", expected="토크 상한"),
    Question(
        what="an English sentence for a Korean rung",
        query="how many times is the barcode read again",
        expected="재시도 횟수 초과",
    ),
)


@click.command("demo")
@json_option
def command(*, as_json: bool) -> None:
    """Start everything in a temporary folder, upload the examples, search them, stop everything."""
    if not EXAMPLES.is_dir():
        raise click.ClickException(f"the examples are not there: {EXAMPLES} (the demo runs from a source checkout)")
    console = screen(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="ladderbase-demo-") as folder:
        Path(folder).chmod(0o711)  # the account that Postgres runs as, where we are root, must pass through
        try:
            shown = asyncio.run(_demo(console, Path(folder, "data")))
        except StartError as error:
            raise click.ClickException(str(error)) from error
    console.print("the demo is through", style="bold green")
    if as_json:
        print_json(shown)


async def _demo(console: Console, data_dir: Path) -> Answer:
    stack = EmbeddedStack(data_dir=data_dir, port=free_port(), settings=_OPEN)
    console.rule("starting the servers, the API and the worker")
    async with running(stack, say=_say_on(console)) as url, connected(url, language=spoken()) as service:
        shown = await show_the_main_job(service, console)
        console.rule("stopping")
    return shown


async def show_the_main_job(service: Service, console: Console, questions: Sequence[Question] = QUESTIONS) -> Answer:
    """Upload, index, search; what was registered and found.

    Raises ClickException with one line when anything is not as it must be.
    """
    console.rule("uploading a cell of a battery-module line, as GX Works exports it")
    first = await _registered(service, console, "cell-line", name="모듈 조립 셀 3호기")
    searches = [await _asked(service, console, question, first["pgm_id"]) for question in questions]
    console.rule("uploading a palletizer whose files came back from Excel")
    second = await _registered(service, console, "cell-line-resaved", name="파레타이저 3호기")
    found = {(each["encoding"], each["delimiter"]) for each in second["documents"] if each["encoding"]}
    console.print("read as " + ", ".join(f"{encoding} with {delimiter}" for encoding, delimiter in sorted(found)))
    return {"programs": [first, second], "searches": searches}


async def _registered(service: Service, console: Console, example: str, *, name: str) -> Answer:
    folder = EXAMPLES / example
    files = UploadFiles(
        ladder_zip=folder / "ladder.zip", template=folder / "template.xlsx", comments=folder / "comment.csv"
    )
    program = await service.upload(files, {"pgm_name": name, "create_user": "demo"})
    show_registered(console, program)
    indexing = await follow(service, program["pgm_id"])
    show_outcome(console, indexing)
    if indexing["status"] != "indexed":
        raise click.ClickException(f"{example} was not indexed: {indexing['errors']}")
    return program


async def _asked(service: Service, console: Console, question: Question, pgm_id: str) -> Answer:
    console.rule(f"searching for {question.what}: {question.query}")
    answer = await service.search({"query": question.query, "pgm_id": pgm_id, "limit": _HITS_SHOWN})
    hits: Sequence[Answer] = answer["hits"]
    for number, hit in enumerate(hits, start=1):
        print_hit(console, number, hit)
    console.print(f"{answer['took_ms']} ms", style="dim")
    if not any(question.expected in f"{hit['logic_name']} {hit['title']}" for hit in hits[: question.within]):
        raise click.ClickException(f"the search for {question.query!r} does not find {question.expected!r}")
    return answer


def _say_on(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(line, style="dim", markup=False)

    return say
