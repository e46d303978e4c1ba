"""Device comments: what the plant's engineers call each device."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceComments:
    """Device in canonical spelling (see domain.devices.canonical) -> comment as written, padding kept."""

    by_device: Mapping[str, str] = field(default_factory=dict)

    def of(self, device: str) -> str:
        """The comment of a canonical device with runs of blanks collapsed; empty where there is none.

        Engineers pad comments with blanks to break lines in the ladder view.
        """
        return " ".join(self.by_device.get(device, "").split())
