"""What children and parent send each other arrives as it was sent."""

from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from adapters.plc_files.pickling import dumps, loads
from domain.findings import Finding, Section, Severity
from domain.template import Logic, Template
from domain.told import told


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined(Logic):
    note: str = ""
    parts: list["Refined"] = field(default_factory=list)


LOGIC = Logic(row=2, folder_id="01", folder_name="조립", sub_folder_name="", logic_id="0000_11", logic_name="로더")


@pytest.mark.parametrize(
    "value",
    [
        Template(logics=(LOGIC, LOGIC)),
        Refined(
            row=1, folder_id="", folder_name="", sub_folder_name="", logic_id="a", logic_name="", note="n", parts=[]
        ),
        Finding(
            section=Section.TEMPLATE,
            code="too_large",
            file="표.xlsx",
            message=told("the file has {size:,} bytes", size=5),
            hint=told("Send it again."),
            severity=Severity.NOTICE,
        ),
        [None, 1.5, "텍스트", b"\x00", {"a": (LOGIC,)}],
    ],
)
def test_what_was_sent_arrives(value: object) -> None:
    assert loads(dumps(value)) == value


def test_what_was_one_object_stays_one() -> None:
    first, second = loads(dumps((LOGIC, LOGIC)))
    assert first is second


def test_what_was_frozen_stays_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        loads(dumps(LOGIC)).row = 3
