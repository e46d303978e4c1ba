"""What looks wrong about devices, and what does not."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import pytest

from contracts.devices import uses_in
from domain.device_review import Suspicion, suspects
from domain.ladder.roles import Role
from domain.touched import COILS, STEP, Touched
from domain.uses import Use


@pytest.mark.parametrize(
    ("listing", "suspected"),
    [
        (("LD X0", "OUT Y0", "LD X1", "OUT Y0"), {Suspicion.COIL_DOUBLE: ["Y0"]}),
        (("LD X0", "OUT Y0", "LD X1", "SET Y0", "RST Y0"), {}),
        (("LD X0", "OUT D5.1", "OUT D5.2", "LD D5.1"), {}),
        (("LD X0", "OUT T0 K5", "LD X1", "OUT T0 K9", "LD T0"), {Suspicion.COIL_DOUBLE: ["T0"]}),
        (("LD X0", "OUT M0Z1", "OUT M0Z1", "LD M0"), {}),
        (("LD X0", "OUT M1"), {Suspicion.NEVER_READ: ["M1"]}),
        (("LD X0", "OUT M1", "MOV K4M0 D0", "LD D0.1"), {}),
        (("BMOV D0 D100 K10", "MOV K5 D3", "LD D109.1"), {}),
        (("MOV K5 D3", "LD D4.1"), {Suspicion.NEVER_READ: ["D3"], Suspicion.NEVER_WRITTEN: ["D4"]}),
        (("LD SM400", "OUT SM401", "MOV W0 B0", "MOV U3\\G1 U3\\G2"), {}),
        (("LD X0", "PLS M3", "RST M4", "LD M4"), {Suspicion.NEVER_READ: ["M3"], Suspicion.NEVER_WRITTEN: ["M4"]}),
        (("BMOV K0 D0 D50", "LD D20.1", "MOV K1 D50"), {}),
        (("XMYSTERY D0", "LD D0.1", "OUT D0.2"), {}),
        (("CALL P1", "P2"), {Suspicion.POINTER_MISSING: ["P1"], Suspicion.POINTER_UNUSED: ["P2"]}),
        (("CJ P1", "P1", "I0"), {}),
    ],
)
def test_what_is_suspected(listing: Sequence[str], suspected: Mapping[Suspicion, list[str]]) -> None:
    assert suspected_of(listing) == suspected


def test_special_relays_of_an_fx_are_written_by_the_cpu() -> None:
    assert suspected_of(["LD X001", "LD M8000", "OUT M8034"], is_fx=True) == {}
    assert suspected_of(["LD M8000"]) == {Suspicion.NEVER_WRITTEN: ["M8000"]}


def test_each_state_of_a_step_ladder_may_drive_the_same_coil() -> None:
    assert suspected_of(["STL S20", "OUT Y0", "STL S21", "OUT Y0", "RET", "SET S20", "SET S21"], is_fx=True) == {}


def test_where_some_devices_have_comments_the_others_lack_them() -> None:
    listing = ["LD X0", "LD X1", "LD SM400", "OUT D5.1", "OUT D6.1", "LD D5.1", "LD D6.1"]
    assert suspected_of(listing, commented={"X0", "D5.1"}) == {Suspicion.NO_COMMENT: ["D6", "X1"]}
    assert suspected_of(listing) == {}


def suspected_of(
    listing: Sequence[str], *, is_fx: bool = False, commented: Collection[str] = ()
) -> dict[Suspicion, list[str]]:
    found = suspects(summed(uses_in(*listing, is_fx=is_fx)), commented)
    return {suspicion: [str(each.address) for each in of_one] for suspicion, of_one in found.items() if of_one}


def summed(uses: Sequence[Use]) -> list[Touched]:
    sums: dict[tuple[str, int, int, int, Role, bool, bool, bool], int] = defaultdict(int)
    for use in uses:
        bit = -1 if use.bit is None else use.bit
        is_coil = use.mnemonic in COILS and use.role in {Role.WRITE, Role.PRESET}
        is_vague = use.is_open or use.is_shifted
        sums[use.space, use.first, use.last, bit, use.role, is_coil, use.mnemonic == STEP, is_vague] += 1
    return [
        Touched(
            space=space,
            first=first,
            last=last,
            bit=None if bit < 0 else bit,
            role=role,
            is_coil=is_coil,
            is_step=is_step,
            is_vague=is_vague,
            count=count,
            first_use=1,
            last_use=count,
        )
        for (space, first, last, bit, role, is_coil, is_step, is_vague), count in sorted(sums.items())
    ]
