"""Who reads and writes which device: roles, ranges and bits, judged by hand after the programming manuals."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.real_samples import SAMPLES, real_ladders
from domain.addresses import Address, parse_address
from domain.ladder.instruction import Instruction
from domain.ladder.listing import parse_listing
from domain.ladder.roles import Role
from domain.ladder.signatures import known_instructions, operand_roles
from domain.uses import MOST_OPERANDS, Use, uses_of

# The instruction, and each use as role, devices, and what else is said of it.
JUDGED = [
    ("LD X1F", "read X1F"),
    ("ANDP M111", "read M111"),
    ("LD D100.5", "read D100.5"),
    ("LD= D0 K5", "read D0"),
    ("ANDD<= D10 D20", "read D10-D11, read D20-D21"),
    ("ORE> E1.5 R0", "read R0-R1"),
    ("OUT Y10", "write Y10"),
    ("OUT D5.A", "write D5.A"),
    ("OUT T0 K10", "preset T0"),
    ("OUTH T1 D5", "preset T1, read D5"),
    ("OUT C235 K9999999", "preset C235"),
    ("SET M8", "set M8"),
    ("RST D9", "reset D9"),
    ("RST T0", "reset T0"),
    ("PLS M6", "pulse M6"),
    ("PLF M7", "pulse M7"),
    ("MC N0 M15", "write M15"),
    ("MCR N0", ""),
    ("MOV D0 D1", "read D0, write D1"),
    ("DMOVP SD1880 D2000", "read SD1880-SD1881, write D2000-D2001"),
    ("MOV K4M0 D0", "read M0-M15, write D0"),
    ("DMOV D0 K8M32", "read D0-D1, write M32-M63"),
    ("BMOV D0 D100 K10", "read D0-D9, write D100-D109"),
    ("BMOV D0 D100 D5", "read D0 open, write D100 open, read D5"),
    ("BMOV K4X0 W10 H2", "read X0-X1F, write W10-W11"),
    ("FMOV K0 ZR100 K50", "write ZR100-ZR149"),
    ("XCH D0 D1", "read D0, write D0, read D1, write D1"),
    ("INC D0", "read D0, write D0"),
    ("+ D0 D1", "read D0, read D1, write D1"),
    ("D+ D0 D2 D4", "read D0-D1, read D2-D3, write D4-D5"),
    ("* D0 D1 D2", "read D0, read D1, write D2-D3"),
    ("ADDP D0 K1 D0", "read D0, write D0"),
    ("WAND D0 H1234 D0", "read D0, write D0"),
    ("BSFL M0 K8", "read M0-M7, write M0-M7"),
    ("ZRST M100 M199", "reset M100-M199"),
    ("$MOV D0 D10", "read D0 open, write D10 open"),
    ("FROM H2 K0 D0 K4", "write D0-D3"),
    ("MOV D100Z0 D1", "read D100 shifted, read Z0, write D1"),
    ("MOV @D30 D1", "read D30-D31, write D1"),
    ("MOV U3\\G10 ZR12Z1", "read U3\\G10, write ZR12 shifted, read Z1"),
    ("CALL P0", "read P0"),
    ("P0", "write P0"),
    ("ICLTHRD1 K1 D2002", "write D2002-D2003"),
    ("DATERD D10", "write D10-D16"),
    ("FLT D0 D2", "read D0, write D2-D3"),
    ("XMYSTERY D0 M1", "unknown D0, unknown M1"),
    ("MOV D0", "unknown D0"),
    ("MOV H10D1 Label", ""),
    ("MOV K100Z0 D0", "read Z0, write D0"),
    ("LD= D0 H0Z1", "read D0, read Z1"),
    ("LD BL1\\S007", "read BL1\\S7"),
    ("SET BL01\\TR3", "set BL1\\TR3"),
    ("OUT C235 D0", "preset C235, read D0"),
    ("OUT LC0 D0", "preset LC0, read D0-D1"),
    ("OUTH ST0 D5", "preset ST0, read D5"),
    ("DMOV C235 D0", "read C235-C236, write D0-D1"),
    ("DMOV D0 Z0", "read D0-D1, write Z0-Z1"),
    ("SER D0 D10 D20 K8", "read D0, read D10-D17, write D20-D21"),
    ("DSER D0 D10 D20 K8", "read D0-D1, read D10-D25, write D20-D21"),
    ("BASIN D0 D10", "read D0-D2, write D10"),
    ("BACOSP D0 D10", "read D0-D2, write D10"),
    ("BSIN D0 D10", "read D0, write D10-D12"),
    ("DFRO H1 K0 D0 K4", "write D0-D7"),
    ("DFROMP H1 K0 D0 K4", "write D0-D7"),
    ("DTO D1 D2 D10 D3", "read D1, read D2, read D10-D11 open, read D3"),
    ("FROM D1 D2 D0 K4", "read D1, read D2, write D0-D3"),
    ("TO D1Z0 K1 D0 K2", "read D1 shifted, read Z0, read D0-D1"),
    ("DUTY D1 D2 SM420", "read D1, read D2, write SM420"),
    ("ROTC D0 D5 D6 M0", "read D0-D2, read D5, read D6, write M0-M7"),
    ("ECALL D0 P5 D1", "read D0 open, read P5, read D1, write D1"),
    ("CALL P5 M10 D1", "read P5, read M10, write M10, read D1, write D1"),
    ("SFT M10", "read M9, reset M9, write M10"),
    ("SFTP D5.3", "read D5.2, reset D5.2, write D5.3"),
    ("SFT M0", "write M0"),
    ("SFT D5.0", "write D5.0"),
    ("ALT M10", "read M10, write M10"),
    ("STMR T0 D1 M0", "preset T0, read D1, write M0-M3"),
    ("UDCNT1 X0 C0 D5", "read X0-X1, preset C0, read D5"),
    ("SPD X0 D5 D10", "read X0, read D5, write D10"),
    ("DSUM D0 D2", "read D0-D1, write D2"),
    ("MOVB M0 M1", "read M0, write M1"),
    ("CMLBP D0.1 M1", "read D0.1, write M1"),
    ("LIMIT_U D0 D1 D2 D3", "read D0, read D1, read D2, write D3"),
    ("DLIMITP_U D0 D2 D4 D6", "read D0-D1, read D2-D3, read D4-D5, write D6-D7"),
    ("SP.DEVST D0 D10 K5 M0", "read D0-D1, read D10-D14, write M0-M1"),
    ("S.DEVLD K100 D10 K5", "write D10-D14"),
    (
        "SP.FREAD U0 D1 D10 D20 D30 M0",
        "read D1, read D10 open, write D10 open, read D20 open, write D30 open, write M0-M1",
    ),
    (
        "SP.FWRITE U0 D1 D10 D20 D30 M0",
        "read D1, read D10 open, write D10 open, read D20 open, read D30 open, write M0-M1",
    ),
    ('SP.SOCOPEN "U0" K1 D0 M0', "read D0-D9, write D0-D9, write M0-M1"),
    ('SP.SOCCLOSE "U0" D9 D0 M0', "read D9, read D0-D1, write D0-D1, write M0-M1"),
    ('SP.SOCRCV "U0" K1 D0 D10 M0', "read D0-D1, write D0-D1, write D10 open, write M0-M1"),
    ('SP.SOCSND "U0" K1 D0 D10 M0', "read D0-D1, write D0-D1, read D10 open, write M0-M1"),
    ("GP.CPRTCL U0 K1 D5 D10 M0", "read D5, read D10 open, write D10 open, write M0-M1"),
    ("Z.ABRST1 U0 D10 M0", "read D10 open, write D10 open, write M0-M1"),
]
# The same, where the CPU is an FX.
JUDGED_OF_FX = [
    ("OUT C200 D0", "preset C200, read D0-D1"),
    ("OUT C199 D0", "preset C199, read D0"),
    ("OUT T200 D0", "preset T200, read D0"),
    ("DMOV C235 D0", "read C235, write D0-D1"),
    ("DMOV C10 D0", "read C10-C11, write D0-D1"),
    ("DHSCS K100 C235 Y000", "read C235, set Y0"),
    ("LDD>= C235 D0", "read C235, read D0-D1"),
    ("DMOV D0 Z0", "read D0-D1, write Z0, write V0"),
    ("DINC Z3", "read Z3, write Z3, read V3, write V3"),
    ("MOV D0 Z0", "read D0, write Z0"),
    ("DMOV D0Z1 D2", "read D0-D1 shifted, read Z1, write D2-D3"),
    ("SER D0 D10 D20 K8", "read D0-D7, read D10, write D20-D24"),
    ("DSERP D0 D20 D30 K8", "read D0-D15, read D20-D21, write D30-D39"),
    ("SORT D0 K5 K4 D100 D9", "read D0 open, write D100 open, read D9"),
    ("DSORT2 D0 K5 K4 D100 D9", "read D0-D1 open, write D100-D101 open, read D9-D10"),
    ("SUM D0 D2", "read D0, write D2"),
    ("DSUM D0 D2", "read D0-D1, write D2-D3"),
    ("SPD X000 K100 D0", "read X0, write D0-D2"),
    ("DSPD X000 D8 D0", "read X0, read D8-D9, write D0-D5"),
    ("IST X020 D1 S40", "read X20-X27, read D1, read S40"),
    ("STMR T10 K100 M0", "preset T10, write M0-M3"),
    ("ANS T0 D5 S900", "preset T0, read D5, set S900"),
    ("SEGDP D0 K2Y000", "read D0, write Y0-Y7"),
    ("SEGL D0 Y000 K1", "read D0 open, write Y0 open"),
    ("DENEG D0", "read D0-D1, write D0-D1"),
    ("DBON D0 M0 K20", "read D0-D1, write M0"),
    ("HOUR D0 D10 Y000", "read D0, write D10-D11, write Y0"),
    ("DHOUR D0 D10 Y000", "read D0-D1, write D10-D12, write Y0"),
    ("RBFM K1 D5 D10 K8 K2", "read D5, write D10-D17"),
    ("WBFM K1 K29 D10 K8 D3", "read D10-D17, read D3"),
    ("IVMC K1 H0 D0 D10 K1", "read D0-D1, write D10-D11"),
    ("DTBL Y000 K1", "write Y0"),
]


@pytest.mark.parametrize(("written", "judged"), JUDGED)
def test_each_use_is_what_an_engineer_would_say(written: str, judged: str) -> None:
    assert ", ".join(map(said, uses(written))) == judged


@pytest.mark.parametrize(("written", "judged"), JUDGED_OF_FX)
def test_each_use_is_what_an_engineer_would_say_of_an_fx(written: str, judged: str) -> None:
    assert ", ".join(map(said, uses(written, is_fx=True))) == judged


@pytest.mark.parametrize(
    "written", ["BMOV K4M2145386000 D0 K1048576", "FMOV K0 D2145386495 K1048576", "DFMOV K0 K8M2145386495 H0FFFFFFF"]
)
def test_no_range_ends_beyond_what_the_record_can_hold(written: str) -> None:
    """A range of the record is closed at the number after its last device, which has 32 bits as well."""
    assert all(use.first <= use.last <= 2**31 - 2 for use in uses(written))
    assert max(use.last for use in uses(written)) > 2**31 - 2**21


def test_every_length_is_said_by_an_operand_of_the_same_instruction() -> None:
    for is_fx in (False, True):
        for name in known_instructions():
            for count in range(1, 10):
                roles = operand_roles(name, count, is_fx=is_fx) or ()
                lengths = {each.count for each in roles if each.count.isalpha()}
                assert lengths <= {each.name for each in roles}, name


def test_an_fx_counts_its_inputs_octally() -> None:
    (use, _) = uses("MOV K4X010 D0", is_fx=True)
    assert (use.space, use.first, use.last, str(use.head)) == ("X8", 8, 23, "X10")


def test_an_fx_sorts_and_squares_otherwise() -> None:
    assert [use.role for use in uses("SQR D0 D1", is_fx=True)] == [Role.READ, Role.WRITE]
    assert uses("SQR D0 D1", is_fx=True)[0].last == 0
    assert uses("SQR D0 D2")[0].last == 1


def test_the_table_knows_more_than_two_hundred_instructions() -> None:
    assert len(known_instructions()) > 1_000
    assert {"LD", "OUT", "DBMOVP", "$+P", "SFTL", "DFROM", "ANDE>=", "BKCMP<>P", "+P_U"} - known_instructions() == {
        "DBMOVP"
    }


def test_of_a_cell_full_of_operands_so_many_are_looked_at_as_any_instruction_has() -> None:
    many = uses("MOV " + " ".join(f"D{number}" for number in range(10_000)))
    assert len(many) == MOST_OPERANDS


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real exports are not at hand")
def test_no_instruction_of_the_real_exports_is_unknown() -> None:
    seen = set()
    for name, content in real_ladders():
        listing = parse_listing(content)
        for instruction in (each for rung in listing.rungs for each in rung.instructions):
            seen.add(instruction.mnemonic)
            found = list(uses_of([instruction], is_fx=listing.is_fx))
            assert not [use for use in found if use.role is Role.UNKNOWN], f"{name}: {instruction}"
            is_known = operand_roles(instruction.mnemonic, len(instruction.operands), is_fx=listing.is_fx) is not None
            assert is_known or instruction.mnemonic == "...", f"{name}: {instruction}"
    assert len(seen) > 100


@given(
    st.text(max_size=20), st.lists(st.from_regex(r"@?(K[1-8])?[A-Z]{1,3}[0-9A-F]{1,12}(Z\d)?(\.[0-9A-F])?"), max_size=6)
)
def test_whatever_stands_there_covers_devices_that_the_record_can_hold(mnemonic: str, operands: list[str]) -> None:
    for use in uses_of([Instruction(step=None, mnemonic=mnemonic, operands=tuple(operands))], is_fx=False):
        assert 0 <= use.first <= use.last < 2**31 - 1


@example(space="X8", number=2**24)  # nine digits
@given(st.sampled_from(["X", "Y", "X8", "D", "W", "SB", "ZR", "U3\\G", "J1\\B"]), st.integers(0, 2**24))
def test_an_address_is_read_as_it_is_written(space: str, number: int) -> None:
    address = Address(space=space, number=number)
    assert parse_address(str(address), is_fx=space == "X8" or space not in {"X", "Y"}) == address


def uses(written: str, *, is_fx: bool = False) -> list[Use]:
    mnemonic, *operands = written.split()
    return list(uses_of([Instruction(step=1, mnemonic=mnemonic, operands=tuple(operands))], is_fx=is_fx))


def said(use: Use) -> str:
    bit = "" if use.bit is None else f".{use.bit:X}"
    until = f"-{Address(space=use.space, number=use.last)}" if use.last > use.first else ""
    return f"{use.role} {use.head}{bit}{until}{' open' * use.is_open}{' shifted' * use.is_shifted}"
