"""Device addresses, as every MELSEC family writes them."""

import pytest

from domain.devices import canonical, is_label, parse_operand


@pytest.mark.parametrize(
    ("written", "devices"),
    [
        ("M1234", ("M1234",)),
        ("X000", ("X0",)),
        ("X0A", ("XA",)),
        ("XFC", ("XFC",)),
        ("D500.F", ("D500.F", "D500")),
        ("SD1882.1", ("SD1882.1", "SD1882")),
        ("K4M0", ("M0",)),
        ("K1Y1038", ("Y1038",)),
        ("D100Z0", ("D100", "Z0")),
        ("ZR12Z1.0", ("ZR12.0", "ZR12", "Z1")),
        ("@D30Z2", ("D30", "Z2")),
        ("U2A\\G31ZZ10", ("U2A\\G31", "ZZ10")),
        ("P0", ("P0",)),
        ("zr1600", ("ZR1600",)),
        ("WA00", ("WA00",)),
        ("X0A05", ("XA05",)),
        ("WC001", ("WC001",)),
        ("BF00", ("BF00",)),
        ("D100V0", ("D100", "V0")),
        ("K4M0V1", ("M0", "V1")),
        ("U0A\\G010", ("UA\\G10",)),
        ("J1\\B0F0", ("J1\\BF0",)),
    ],
)
def test_an_operand_names_its_devices_the_most_precise_first(written: str, devices: tuple[str, ...]) -> None:
    operand = parse_operand(written)
    assert operand is not None
    assert operand.devices == devices


@pytest.mark.parametrize(
    "constant",
    [
        "K1500",
        "K-30000",
        "H1234",
        "H10D1",
        "H0FFFFFFFF",
        "E500",
        "E-1.5E+3",
        "E1.5-3",
        "K100Z0",
        "H0Z1",
        '"ABC"',
        "",
        "...",
    ],
)
def test_constants_and_strings_are_no_devices(constant: str) -> None:
    assert parse_operand(constant) is None


@pytest.mark.parametrize(
    ("operand", "label"),
    [
        ("bStart", True),
        ("컨베이어_기동", True),
        ("E1_Motor", True),
        ("E1", False),
        ("M0", False),
        ("K10", False),
        ("", False),
    ],
)
def test_labels_are_what_is_neither_device_nor_constant(operand: str, label: bool) -> None:  # noqa: FBT001 - a table of cases
    assert is_label(operand) is label


def test_one_device_has_one_spelling() -> None:
    assert {canonical("x00a"), canonical("X0A"), canonical(" XA ")} == {"XA"}
    assert canonical("M000") == "M0"
    assert len({canonical(device) for device in ("WA0", "WA00", "WA000", "XA05", "XA5")}) == 5
