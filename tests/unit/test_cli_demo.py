"""What the demo does once everything runs: it fails when a search does not find what it must."""

import hashlib
import zipfile
from datetime import timedelta
from pathlib import Path

import click
import httpx
import pytest

from builders.service import Service, a_service
from domain.comments import DeviceComments
from domain.ladder.listing import parse_listing
from domain.ports.upload_reader import UploadReader
from domain.template import Logic, Template
from domain.upload import InspectedUpload, LadderMember, Upload
from entrypoints.api.app import create_app
from entrypoints.cli.demo import EXAMPLES, QUESTIONS, Question, show_the_main_job
from entrypoints.cli.rendering import screen
from entrypoints.cli.service import connected


class ExampleReader(UploadReader):
    """Reads the ladders for real; every logic is named by its id."""

    async def inspect(self, upload: Upload) -> InspectedUpload:
        with zipfile.ZipFile(upload.ladder_zip.path) as archive:
            ladders = tuple(member(name, archive.read(name)) for name in archive.namelist())
        return InspectedUpload(
            template=Template(logics=tuple(logic(row, ladder.logic_id) for row, ladder in enumerate(ladders, 2))),
            comments=DeviceComments(),
            ladders=ladders,
            findings=(),
        )


def member(name: str, content: bytes) -> LadderMember:
    return LadderMember(
        member=name,
        document_name=name,
        logic_id=Path(name).stem,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=parse_listing(content).facts(),
    )


def logic(row: int, logic_id: str) -> Logic:
    return Logic(row=row, folder_id="", folder_name="", sub_folder_name="", logic_id=logic_id, logic_name=logic_id)


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path, hold_events_for=timedelta(minutes=1), upload_reader=ExampleReader())


async def show(service: Service, *questions: Question) -> None:
    transport = httpx.ASGITransport(create_app(service.container))  # type: ignore[arg-type]  # two spellings of ASGI
    async with connected("http://demo", transport) as client:
        await show_the_main_job(client, screen(), questions)


async def test_the_demo_passes_when_every_search_finds_its_rung(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    await show(service, QUESTIONS[0], Question(what="a title", query="토크 상한 하한 판정", expected="토크 상한"))
    shown = capsys.readouterr().out
    assert "컨베이어 자동 운전" in shown
    assert "토크 상한 / 하한 판정" in shown
    assert "read as cp949 with comma" in shown
    assert set(service.registry.committed.programs) == {"PGM_1", "PGM_2"}


async def test_the_demo_fails_with_one_line_when_a_search_finds_something_else(service: Service) -> None:
    with pytest.raises(click.ClickException) as failure:
        await show(service, Question(what="a device", query="M101", expected="토크 상한"))
    assert failure.value.message == "the search for 'M101' does not find '토크 상한'"
    assert failure.value.exit_code == 1


def test_the_examples_are_where_the_demo_looks() -> None:
    for example in ("cell-line", "cell-line-resaved"):
        for name in ("ladder.zip", "template.xlsx", "comment.csv"):
            assert (EXAMPLES / example / name).is_file()
