"""What a program does to its devices, summed up: equal uses are one sum."""

from dataclasses import dataclass

from domain.ladder.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """So many uses in one role of the same devices. `first_use` and `last_use` name the outer two of them.

    `is_coil` says that OUT drives them, `is_step` that a part of a step ladder begins with them, `is_vague` that where
    they end or begin is known at run time alone.
    """

    space: str
    first: int
    last: int
    bit: int | None
    role: Role
    is_coil: bool
    is_step: bool
    is_vague: bool
    count: int
    first_use: int
    last_use: int


COILS = ("OUT", "OUTH", "OUTHS")
"""The instructions that drive a device in every scan."""

STEP = "STL"
"""The instruction that an FX runs the following rungs by: only while its state is on."""
