"""What every UseRepo and DeviceCatalogue promises."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from contracts.records import a_chunk, a_document, a_registration, delete, register, rolled_back
from domain.comments import DeviceComments
from domain.device_query import device_filters, wanted_device
from domain.document import Document, DocumentRef
from domain.errors import InvalidRequestError, NotFoundError
from domain.ladder.instruction import Instruction
from domain.ladder.roles import Role
from domain.ports.device_catalogue import DeviceCatalogue, FoundUse
from domain.ports.document_repo import IndexedDocument
from domain.ports.unit_of_work import UnitOfWork
from domain.uses import USES_VERSION, Use, uses_of


class DevicesContract:
    """Needs the fixtures `unit_of_work`, `devices` and `age_uses`, all over one record.

    `age_uses` makes what is recorded look as another version recorded it, an older one unless told.
    """

    async def test_a_use_comes_back_with_its_place(self, unit_of_work: UnitOfWork, devices: DeviceCatalogue) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD X1F", "OUT M1234")
        (use,) = await uses_of_device(devices, "M1234")
        assert (use.use.role, use.use.mnemonic, use.use.operand, use.use.step) == (Role.WRITE, "OUT", "M1234", 1)
        assert (use.pgm_id, use.document_id, use.chunk_id) == ("PGM_1", "PGM_1.r1.0", "PGM_1.r1.0.g1.0")
        assert (use.document_name, use.place.logic_name, use.comment) == ("반송_0.csv", "비상 정지", "컨베이어  정지")

    @pytest.mark.parametrize(
        ("device", "instruction"),
        [
            ("D105", "BMOV D0 D100 K10"),
            ("D109", "BMOV D0 D100 K10"),
            ("M5", "MOV K4M0 D0"),
            ("d0101", "DMOV D100 D200"),
            ("D100", "LD D100.5"),
            ("D100.5", "LD D100.5"),
            ("D100.5", "MOV D100 D0"),
            ("X1F", "LD X01F"),
            ("U3\\G10", "MOV U3\\G10 D0"),
            ("Z1", "MOV D5Z1 D0"),
            ("D5", "MOV D5Z1 D0"),
        ],
    )
    async def test_a_device_is_found_in_whatever_covers_it(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue, device: str, instruction: str
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD M9999", instruction)
        assert [use.use.step for use in await uses_of_device(devices, device)] == [1]

    @pytest.mark.parametrize(
        ("device", "instruction"),
        [("D110", "BMOV D0 D100 K10"), ("M16", "MOV K4M0 D0"), ("D100.6", "LD D100.5"), ("W5", "MOV K4M0 D0")],
    )
    async def test_its_neighbours_are_not(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue, device: str, instruction: str
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), instruction)
        assert await uses_of_device(devices, device) == []

    async def test_an_input_is_found_as_each_cpu_counts(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document(0), a_document(1))
        await index(unit_of_work, a_document(0), "MOV K4X000 D0", is_fx=True)
        await index(unit_of_work, a_document(1), "MOV K4X0 D0")
        assert len(await uses_of_device(devices, "X10")) == 1  # the 9th of the FX; on a Q the 17th
        assert len(await uses_of_device(devices, "XF")) == 1
        assert len(await uses_of_device(devices, "X7")) == 2

    async def test_uses_are_narrowed_by_program_and_role(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        await index(unit_of_work, a_document(), "INC D0")
        await index(unit_of_work, a_document(pgm_id="PGM_2"), "INC D0", "RST D0")
        assert len(await uses_of_device(devices, "D0")) == 5
        assert len(await uses_of_device(devices, "D0", pgm_id="PGM_2")) == 3
        assert [use.use.role for use in await uses_of_device(devices, "D0", roles=[Role.RESET])] == [Role.RESET]
        assert await uses_of_device(devices, "D0", pgm_id="PGM_77") == []

    async def test_the_uses_of_rungs_are_told_in_their_order(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        chunks = tuple(
            a_chunk(ordinal, uses=tuple(uses_in(f"LD M{ordinal}", f"OUT Y{ordinal}"))) for ordinal in range(3)
        )
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_indexed([IndexedDocument(ref=document.ref, chunks=chunks)])
            await transaction.uses.record([IndexedDocument(ref=document.ref, chunks=chunks)])
        asked = ["PGM_1.r1.0.g1.2", "PGM_1.r1.0.g1.0", "PGM_1.r1.0.g7.1", "PGM_1.r1.0.g1.9"]
        found = await devices.uses_in(asked)
        assert {name: [str(use.head) for use in uses] for name, uses in found.items()} == {
            "PGM_1.r1.0.g1.0": ["M0", "Y0"],
            "PGM_1.r1.0.g1.2": ["M2", "Y2"],
        }
        assert await devices.uses_in([]) == {}

    async def test_uses_are_paged_the_last_recorded_first(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), *["BMOV D0 D100 K10", "MOV D0 D105", "LD D105.1"] * 5)
        every = await uses_of_device(devices, "D105")
        assert [use.use.step for use in every] == list(reversed(range(15)))
        paged: list[FoundUse] = []
        cursor = None
        while True:
            page = await devices.uses(wanted_device("D105"), limit=4, cursor=cursor)
            paged += page.items
            if (cursor := page.next_cursor) is None:
                break
            with pytest.raises(InvalidRequestError):
                await devices.uses(wanted_device("D106"), limit=4, cursor=cursor)
        assert paged == every

    async def test_only_what_answers_is_shown(self, unit_of_work: UnitOfWork, devices: DeviceCatalogue) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await index(unit_of_work, document, "LD M1")
        async with unit_of_work.begin() as transaction:
            (restarted,) = await transaction.documents.restart([document.ref])
        assert await uses_of_device(devices, "M1") == []
        assert (await devices.devices("PGM_1", limit=10)).items == ()
        await index(unit_of_work, a_document(generation=2), "LD M1", "OUT M2")
        assert len(await uses_of_device(devices, "M1")) == 1
        assert restarted.generation == 2

    async def test_a_deleted_program_has_no_uses_and_a_purge_takes_them_along(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD M1")
        await delete(unit_of_work)
        assert await uses_of_device(devices, "M1") == []
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")
        with pytest.raises(NotFoundError):
            await devices.devices("PGM_1", limit=10)

    async def test_what_was_recorded_before_is_replaced(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD M1")
        await index(unit_of_work, a_document(), "LD M2")
        assert (await uses_of_device(devices, "M1"), len(await uses_of_device(devices, "M2"))) == ([], 1)

    async def test_a_stale_document_has_nothing_recorded(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document(generation=2), a_document(1))
        async with unit_of_work.begin() as transaction:
            stale, unfinished = indexed(a_document(), "LD M1"), indexed(a_document(1), "LD M1")
            assert await transaction.uses.record([stale, unfinished]) == frozenset()
            await transaction.uses.give_up([stale.ref, DocumentRef(document_id="nowhere", generation=1)])
        assert await uses_of_device(devices, "M1") == []

    async def test_a_transaction_that_rolls_back_leaves_no_uses(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        async with rolled_back(unit_of_work) as transaction:
            await transaction.documents.mark_indexed([indexed(a_document(), "LD M1")])
            await transaction.uses.record([indexed(a_document(), "LD M1")])
        assert await uses_of_device(devices, "M1") == []

    async def test_devices_are_told_with_comments_and_counts(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD M1234", "BMOV D0 D498 K10", "MOV D500 W1F", "OUT D500.A")
        page = await devices.devices("PGM_1", limit=10)
        assert [(view.name, view.comment, dict(view.counts)) for view in page.items] == [
            ("D0", "", {Role.READ: 1}),
            ("D498", "", {Role.WRITE: 1}),
            ("D500", "速度設定 ", {Role.READ: 1, Role.WRITE: 2}),
            ("D500.A", "速度設定 ", {Role.READ: 1, Role.WRITE: 2}),
            ("M1234", "컨베이어  정지", {Role.READ: 1}),
            ("W1F", "", {Role.WRITE: 1}),
        ]

    async def test_devices_are_paged_by_space_and_number(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(
            unit_of_work, a_document(), *(f"MOV {kind}{number} D5.3" for kind in "DRZ" for number in (9, 10, 5))
        )
        names, cursor = [], None
        while True:
            page = await devices.devices("PGM_1", limit=2, cursor=cursor)
            names += [view.name for view in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert names == ["D5", "D5.3", "D9", "D10", "R5", "R9", "R10", "Z5", "Z9", "Z10"]

    @pytest.mark.parametrize(
        ("kind", "prefix", "names"),
        [
            ("d", None, ["D1", "D10", "D11", "D2"]),
            (None, "D1", ["D1", "D10", "D11"]),
            (None, "D", ["D1", "D10", "D11", "D2"]),
            ("X", None, ["X10", "X1F"]),
            (None, "X1", ["X10", "X1F"]),
            ("M", "D1", []),
            (None, "D10", ["D10"]),
            (None, "D0", []),
            (None, "U3", ["U3E0\\G1", "U3\\G10"]),
            (None, "u3e", ["U3E0\\G1"]),
            (None, "U3\\", ["U3\\G10"]),
            (None, "U3\\G1", ["U3\\G10"]),
            (None, "U3\\G2", []),
            (None, "J1", ["J1\\B1A"]),
            (None, "J1\\B1", ["J1\\B1A"]),
            (None, "BL1", ["BL10", "BL1\\S7"]),
            (None, "BL1\\S", ["BL1\\S7"]),
        ],
    )
    async def test_devices_are_narrowed(
        self,
        unit_of_work: UnitOfWork,
        devices: DeviceCatalogue,
        *,
        kind: str | None,
        prefix: str | None,
        names: list[str],
    ) -> None:
        await register(unit_of_work, a_document(0), a_document(1))
        further = ("MOV U3\\G10 U3E0\\G1", "LD J1\\B1A", "LD BL1\\S7", "LD BL10")
        await index(unit_of_work, a_document(0), "BMOV D1 D2 K1", "+ D10 D11 M5", "LD X1F", *further)
        await index(unit_of_work, a_document(1), "LD X010", is_fx=True)
        page = await devices.devices("PGM_1", device_filters(kind, prefix), limit=10)
        assert sorted(view.name for view in page.items) == names

    async def test_of_an_unknown_program_there_are_no_devices(self, devices: DeviceCatalogue) -> None:
        with pytest.raises(NotFoundError):
            await devices.devices("PGM_404", limit=10)
        with pytest.raises(NotFoundError):
            await devices.touched("PGM_404", limit=10)

    async def test_a_cursor_of_elsewhere_is_refused(self, unit_of_work: UnitOfWork, devices: DeviceCatalogue) -> None:
        await register(unit_of_work, a_document())
        await register(unit_of_work, pgm_id="PGM_2")
        await index(unit_of_work, a_document(), "MOV D0 D1")
        cursor = (await devices.devices("PGM_1", limit=1)).next_cursor
        for listing in ("PGM_2", "PGM_1"):
            with pytest.raises(InvalidRequestError):
                await devices.devices(listing, limit=1, cursor=cursor if listing == "PGM_2" else "bm8")

    @pytest.mark.parametrize(
        "key", ["D,0,99999", "D,0,-2", "D,2147483648,0", f"D,{'9' * 5_000},0", "\0,0,0", "D,0", ""]
    )
    async def test_a_cursor_with_a_key_that_nobody_gave_out_is_refused(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue, key: str
    ) -> None:
        await register(unit_of_work, a_document())
        cursor = base64.urlsafe_b64encode(f"devices:PGM_1:{key}".encode()).decode().rstrip("=")
        with pytest.raises(InvalidRequestError) as caught:
            await devices.devices("PGM_1", limit=1, cursor=cursor)
        assert caught.value.field == "cursor"

    async def test_a_cursor_goes_on_after_the_largest_number(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "MOV D2145386495 W1")
        first = await devices.devices("PGM_1", limit=1)
        second = await devices.devices("PGM_1", limit=1, cursor=first.next_cursor)
        assert [view.name for view in (*first.items, *second.items)] == ["D2145386495", "W1"]

    async def test_a_cursor_goes_on_in_just_the_filters_that_it_was_given_out_for(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "MOV D1 D2", "MOV D10 W1")
        cursors = {
            filters: (await devices.devices("PGM_1", filters, limit=1)).next_cursor
            for filters in (device_filters("D", None), device_filters("D", "D1"), ())
        }
        for filters, cursor in cursors.items():
            assert cursor is not None
            assert len((await devices.devices("PGM_1", filters, limit=1, cursor=cursor)).items) == 1
            for others in cursors.keys() - {filters}:
                with pytest.raises(InvalidRequestError) as caught:
                    await devices.devices("PGM_1", others, limit=1, cursor=cursor)
                assert caught.value.field == "cursor"

    async def test_a_range_that_would_end_beyond_all_numbers_is_recorded(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "BMOV K4M2145386000 D0 K1048576")
        assert len(await uses_of_device(devices, "M2145386400")) == 1

    async def test_what_lacks_its_uses_is_known(
        self,
        unit_of_work: UnitOfWork,
        devices: DeviceCatalogue,
        age_uses: Callable[..., Awaitable[None]],
    ) -> None:
        documents = [a_document(ordinal) for ordinal in range(3)]
        await register(unit_of_work, *documents)
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_indexed([indexed(documents[0], "LD M1"), indexed(documents[1], "LD M1")])
            await transaction.documents.mark_indexed([indexed(a_document(pgm_id="PGM_2"), "LD M1")])
            assert await lacking(unit_of_work) == []  # not before the commit
        assert await lacking(unit_of_work) == ["PGM_2.r1.0", "PGM_1.r1.0", "PGM_1.r1.1"]
        assert not await devices.is_complete()
        await index(unit_of_work, a_document(pgm_id="PGM_2"), "LD M1")
        assert await devices.is_complete("PGM_2")
        assert not await devices.is_complete("PGM_1")
        async with unit_of_work.begin() as transaction:
            await transaction.uses.record([indexed(documents[0], "LD M1")])
            await transaction.uses.give_up([documents[1].ref])
        assert await lacking(unit_of_work) == []
        assert not await devices.is_complete("PGM_1")  # and never will be: the bytes of one document are gone
        await age_uses("PGM_2.r1.0")
        assert await lacking(unit_of_work) == ["PGM_2.r1.0"]
        assert await devices.is_complete("PGM_2")  # what an older version recorded is shown until it is replaced

    async def test_what_a_newer_version_recorded_is_left_alone(
        self, unit_of_work: UnitOfWork, age_uses: Callable[..., Awaitable[None]]
    ) -> None:
        await register(unit_of_work, a_document())
        await index(unit_of_work, a_document(), "LD M1")
        await age_uses("PGM_1.r1.0", USES_VERSION + 1)
        assert await lacking(unit_of_work) == []

    async def test_what_is_forgotten_is_lacking_at_just_that_generation(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        documents = [a_document(0), a_document(1)]
        await register(unit_of_work, *documents)
        for document in documents:
            await index(unit_of_work, document, "LD M1")
        async with unit_of_work.begin() as transaction:
            await transaction.uses.forget([documents[0].ref, a_document(1, generation=2).ref])
            await transaction.uses.forget([])
        assert await lacking(unit_of_work) == ["PGM_1.r1.0"]
        assert len(await uses_of_device(devices, "M1")) == 1

    async def test_equal_uses_are_summed_up(self, unit_of_work: UnitOfWork, devices: DeviceCatalogue) -> None:
        await register(unit_of_work, a_document())
        await index(
            unit_of_work, a_document(), "OUT M1", "LD M1", "OUT M1", "MOV D0Z1 D5", "SET M1", "OUT T1 K5", "STL S1"
        )
        touched = await devices.touched("PGM_1", limit=100)
        sums = {(f"{each.space}{each.first}", each.role, each.is_coil, each.is_vague): each.count for each in touched}
        assert sums == {
            ("D0", Role.READ, False, True): 1,
            ("D5", Role.WRITE, False, False): 1,
            ("M1", Role.READ, False, False): 1,
            ("M1", Role.SET, False, False): 1,
            ("M1", Role.WRITE, True, False): 2,
            ("S1", Role.READ, False, False): 1,
            ("T1", Role.PRESET, True, False): 1,
            ("Z1", Role.READ, False, False): 1,
        }
        assert [each.space for each in touched if each.is_step] == ["S"]
        (coil,) = [each for each in touched if each.is_coil and each.space == "M"]
        examples = await devices.examples([coil])
        assert [examples[coil.first_use].use.step, examples[coil.last_use].use.step] == [0, 2]
        assert len(await devices.touched("PGM_1", limit=3)) == 3
        assert await devices.examples([]) == {}

    async def test_the_devices_with_a_comment_are_known(
        self, unit_of_work: UnitOfWork, devices: DeviceCatalogue
    ) -> None:
        await register(unit_of_work)
        assert await devices.commented("PGM_1") == {"M1234", "D500"}
        async with unit_of_work.begin() as transaction:
            await transaction.programs.add(a_registration("PGM_2", comments=DeviceComments()))
        assert await devices.commented("PGM_2") == frozenset()


async def index(unit_of_work: UnitOfWork, document: Document, *listing: str, is_fx: bool = False) -> None:
    """Record a document of one rung with these instructions, whose step numbers count from 0."""
    async with unit_of_work.begin() as transaction:
        done = indexed(document, *listing, is_fx=is_fx)
        assert await transaction.documents.mark_indexed([done]) == {document.ref}
        assert await transaction.uses.record([done]) == {document.ref}


def indexed(document: Document, *listing: str, is_fx: bool = False) -> IndexedDocument:
    return IndexedDocument(ref=document.ref, chunks=(a_chunk(uses=tuple(uses_in(*listing, is_fx=is_fx))),))


def uses_in(*listing: str, is_fx: bool = False) -> Sequence[Use]:
    split = [line.split() for line in listing]
    instructions = [
        Instruction(step=step, mnemonic=words[0], operands=tuple(words[1:])) for step, words in enumerate(split)
    ]
    return list(uses_of(instructions, is_fx=is_fx))


async def uses_of_device(devices: DeviceCatalogue, name: str, **narrowed: Any) -> list[FoundUse]:
    return list((await devices.uses(wanted_device(name), limit=100, **narrowed)).items)


async def lacking(unit_of_work: UnitOfWork) -> list[str]:
    async with unit_of_work.begin() as transaction:
        return [document.document_id for document in await transaction.uses.lacking(limit=100)]
