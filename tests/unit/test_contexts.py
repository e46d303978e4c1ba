"""What a question about ladders is given: rungs under a budget, who writes what they read, and where each stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.gather_context import HITS
from builders.service import a_service, connected
from domain.chunk import Place
from domain.context import BETWEEN_PIECES, Piece, Why, estimated_tokens, packed
from domain.document import DocumentType
from domain.search import FoundChunk

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
