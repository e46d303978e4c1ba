"""What an instruction does to a device that it names."""

from enum import StrEnum


class Role(StrEnum):
    """The values are the wire format's.

    `preset` is the coil of a timer or counter together with its set value. A label (P0) is written where it stands
    and read by whoever jumps there. `unknown` is said of the devices of an instruction that no table here has.
    """

    READ = "read"
    WRITE = "write"
    SET = "set"
    RESET = "reset"
    PRESET = "preset"
    PULSE = "pulse"
    UNKNOWN = "unknown"


GIVING = frozenset({Role.WRITE, Role.SET, Role.PRESET, Role.PULSE})
"""Roles that give a device a value which somebody may want to read; a reset only takes it away."""
