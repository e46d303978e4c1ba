"""The wire format of what is answered about devices."""

from collections.abc import Mapping

from msgspec import Struct

from domain.device_review import Suspicion
from domain.ladder.roles import Role
from entrypoints.api.schemas import FindingBody


class UsedDeviceBody(Struct, kw_only=True, frozen=True):
    """A device that instructions of the program name; `counts` are the uses that cover it, by role."""

    device: str
    kind: str
    comment: str
    counts: Mapping[Role, int]


class DevicePage(Struct, kw_only=True, frozen=True):
    """Devices by kind and number; `next` is the cursor of the following page, null at the end.

    `complete` is false while the uses of some document are not recorded.
    """

    pgm_id: str
    complete: bool
    items: tuple[UsedDeviceBody, ...]
    next: str | None


class UseBody(Struct, kw_only=True, frozen=True):
    """A use of the device: what the instruction does, and where it stands.

    `first_device` to `last_device` is what the operand covers, one device or a range; the end of a range that is
    `open_ended` is known at run time alone, and so is by how many devices a `shifted` one is shifted. `rung_id` is the
    `rung_id` of a hit of a search; `step` is null where the listing has no step numbers.
    """

    role: Role
    instruction: str
    operand: str
    first_device: str
    last_device: str
    open_ended: bool
    shifted: bool
    step: int | None
    rung_id: str
    pgm_id: str
    document_id: str
    document_name: str
    logic_id: str
    logic_name: str
    folder_id: str
    folder_name: str
    sub_folder_name: str
    comment: str


class UsePage(Struct, kw_only=True, frozen=True):
    """Uses of a device, those that were recorded last first; `next` is the cursor of the following page.

    `complete` is false while the uses of some document are not recorded.
    """

    device: str
    complete: bool
    items: tuple[UseBody, ...]
    next: str | None


class WarningsBody(Struct, kw_only=True, frozen=True):
    """What looks wrong about the devices of a program: how often, and the first of each as findings."""

    pgm_id: str
    complete: bool
    counts: Mapping[Suspicion, int]
    findings: tuple[FindingBody, ...]
