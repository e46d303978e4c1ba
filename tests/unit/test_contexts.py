"""What a question about ladders is given: rungs under a budget, who writes what they read, and where each stands."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.gather_context import HITS, RUNGS
from builders.further import a_document_form
from builders.pdfs import a_pdf
from builders.service import a_service, connected
from domain.chunk import Place
from domain.context import BETWEEN_PIECES, Piece, Why, estimated_tokens, packed
from domain.device_query import WantedDevice
from domain.document import DocumentType
from domain.ports.catalogue import Page
from domain.ports.device_catalogue import FoundUse
from domain.search import FoundChunk
from fakes.device_catalogue import InMemoryDeviceCatalogue
from fakes.registry import InMemoryRegistry

FEEDER = (
    "0,[Title]급지 시작,,,,,\n1,,LD,M50,,,\n2,,OUT,Y7,,,\n3,[Title]준비,,,,,\n4,,LD,X0,,,\n5,,OUT,M60,,,\n"
    "6,[Title]먼 조건,,,,,\n7,,LD,X1,,,\n8,,BMOV,K4M100,,,\n,,,K4M48,,,\n,,,K1,,,\n9,,END,,,,\n"
)
OTHER = "0,[Title]도어,,,,,\n1,,LD,X9,,,\n2,,SET,M50,,,\n3,,END,,,,\n"
# As many rungs as are found at once name the device: the rest comes for other reasons.
READERS = "".join(f"{2 * number},,LD,Y7,,,\n{2 * number + 1},,OUT,M20{number},,,\n" for number in range(1, HITS))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    service = await a_service(tmp_path, {"0000_11": FEEDER, "0001_11": OTHER, "0002_11": READERS})
    await service.register()
    await service.work()
    async with connected(service) as client:
        yield client


async def test_a_context_has_the_hit_who_writes_its_inputs_and_its_neighbours(client: httpx.AsyncClient) -> None:
    body = (await client.post("/v1/context", json={"query": "Y7", "pgm_id": "PGM_1"})).json()
    hits = [piece for piece in body["pieces"] if piece["why"] == "hit"]
    assert hits == body["pieces"][:HITS]
    (feeder,) = [hit for hit in hits if "LD M50\nOUT Y7" in hit["text"]]
    assert (feeder["of"], feeder["device"], feeder["cut"]) == (None, None, False)
    of_feeder = [piece for piece in body["pieces"] if piece["of"] == feeder["rung_id"]]
    others = [(piece["why"], piece["device"], piece["text"].split("\n")[1]) for piece in of_feeder]
    assert ("writes", "M50", "도어") in others
    assert ("writes", "M50", "먼 조건") in others  # the block M48 to M63 covers it
    assert ("neighbour", None, "준비") in others
    assert body["tokens"] == sum(piece["tokens"] for piece in body["pieces"]) <= body["budget_tokens"] == 4_000


async def test_a_piece_can_be_cited_and_asked_for_again(client: httpx.AsyncClient) -> None:
    pieces = (await client.post("/v1/context", json={"query": "급지 시작"})).json()["pieces"]
    (piece,) = [piece for piece in pieces if "OUT Y7" in piece["text"]]
    assert piece["citation"] == f"PGM_1 이송부/L0000_11 0000_11.csv steps 1-2 [{piece['rung_id']}]"
    assert piece["text"].startswith(piece["citation"])
    rung = (await client.get(f"/v1/rungs/{piece['rung_id']}")).json()
    assert (rung["ladder"], rung["title"], rung["logic_id"]) == ("LD M50\nOUT Y7", "급지 시작", "0000_11")
    assert (await client.get(f"/v1/rungs/{rung['neighbours'][0]}")).json()["title"] == "준비"


async def test_a_rung_of_another_generation_is_not_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/rungs/PGM_1-r1-0001.g9.0", headers={"Accept-Language": "ko"})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("렁")


@pytest.fixture
async def documented(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A manual of which more passages are near to a question than a context has hits."""
    service = await a_service(tmp_path, {"0000_11": FEEDER, "0001_11": OTHER})
    await service.register()
    manual = a_pdf(*(f"Why the feeder does not start, reason {number}." for number in range(2 * HITS)))
    body, headers = a_document_form("manual.pdf", manual)
    async with connected(service) as client:
        assert (await client.post("/v1/programs/PGM_1/documents", content=body, headers=headers)).status_code == 201
        await service.work()
        yield client


async def test_a_manual_leaves_rungs_their_places_among_the_hits(documented: httpx.AsyncClient) -> None:
    pieces = (await documented.post("/v1/context", json={"query": "why does the feeder not start"})).json()["pieces"]
    hits = [piece for piece in pieces if piece["why"] == "hit"]
    passages = ["manual.pdf" in piece["citation"] for piece in hits]
    assert passages == [True] * (HITS - RUNGS) + [False] * RUNGS


async def test_a_passage_is_cited_with_its_place(documented: httpx.AsyncClient) -> None:
    (piece, *_) = (await documented.post("/v1/context", json={"query": "why does the feeder not start"})).json()[
        "pieces"
    ]
    page = int(piece["text"].partition("reason ")[2].rstrip(".")) + 1
    assert piece["citation"] == f"PGM_1 manual.pdf (page {page}) [{piece['rung_id']}]"
    assert piece["text"].split("\n")[1].startswith("Why the feeder")


class WatchedDevices(InMemoryDeviceCatalogue):
    """Notes whose uses are asked for, and how many of them at once."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        super().__init__(registry)
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    async def uses(self, wanted: WantedDevice, **narrowed: Any) -> Page[FoundUse]:
        self.asked.append(wanted.name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return await super().uses(wanted, **narrowed)


async def test_hits_that_read_much_share_the_looks_at_the_record(tmp_path: Path) -> None:
    def reading(hit: int) -> str:
        return "".join(f"{100 * hit + n},,{'AND' if n else 'LD'},M{1000 * hit + n},,,\n" for n in range(30))

    ladder = "".join(f"{reading(hit)}{100 * hit + 30},,OUT,Y7,,,\n" for hit in range(1, HITS + 1))
    service = await a_service(tmp_path, {"0000_11": ladder})
    devices = WatchedDevices(service.registry)
    service.container.devices.override(devices)
    await service.register()
    await service.work()
    async with connected(service) as client:
        await client.post("/v1/context", json={"query": "Y7"})
    of_each = Counter(int(name.removeprefix("M")) // 1000 for name in devices.asked)
    assert sorted(of_each.values()) == [4, 5, 5, 5, 5]
    assert devices.most_at_once == 4


@pytest.mark.parametrize("body", [{"query": "Y7", "budget_tokens": 255}, {"query": ""}, {"query": "Y7", "top": 3}])
async def test_what_is_no_question_is_refused(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await client.post("/v1/context", json=body)).status_code == 422


def test_the_best_rung_is_cut_rather_than_left_out() -> None:
    (piece,) = packed([a_piece(0, lines=500)], budget=256)
    assert piece.is_cut
    assert piece.ladder.endswith("\n…")
    assert 200 < piece.tokens <= 256


def test_a_rung_that_does_not_fit_makes_room_for_a_smaller_one() -> None:
    pieces = [a_piece(0, lines=5), a_piece(1, lines=500), a_piece(2, lines=5), a_piece(0, lines=5)]
    assert [piece.chunk.chunk_id for piece in packed(pieces, budget=300)] == ["c.g1.0", "c.g1.2"]


def test_an_estimate_counts_other_scripts_higher() -> None:
    assert (estimated_tokens("LD X0"), estimated_tokens("정지"), estimated_tokens("")) == (3, 3, 0)


def test_a_rung_of_addresses_is_not_estimated_lower_than_tokenizers_count_it() -> None:
    rung = "LD M1234\nAND X1F\nANI T200\nMOV D100 D200\nOUT Y7A"
    assert estimated_tokens(rung) >= 24  # o200k_base and cl100k_base make 24 of it


def test_what_stands_between_the_texts_of_a_prompt_is_paid_for() -> None:
    pieces = packed([a_piece(number, lines=number % 7) for number in range(40)], budget=2_000)
    assert len(pieces) > 5
    prompt = BETWEEN_PIECES.join(piece.text for piece in pieces)
    assert estimated_tokens(prompt) <= sum(piece.tokens for piece in pieces) <= 2_000


@given(st.lists(st.integers(0, 400), max_size=8), st.integers(256, 2_000))
def test_no_context_exceeds_its_budget(lengths: list[int], budget: int) -> None:
    pieces = packed((a_piece(number, lines=lines) for number, lines in enumerate(lengths)), budget=budget)
    assert sum(piece.tokens for piece in pieces) <= budget
    assert bool(pieces) == bool(lengths)


def a_piece(number: int, *, lines: int) -> Piece:
    chunk = FoundChunk(
        chunk_id=f"c.g1.{number}",
        pgm_id="PGM_1",
        document_id="c",
        document_name="0000_11.csv",
        document_type=DocumentType.LADDER_CSV,
        place=Place(),
        first_step=None,
        last_step=None,
        title="긴 렁",
        ladder="\n".join(f"LD X{line}" for line in range(lines)),
        devices=(),
    )
    return Piece(chunk=chunk, why=Why.HIT)
