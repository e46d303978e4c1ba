"""Review the devices of a program: warnings, of which none ever refuses it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from domain.device_review import Suspect, Suspicion, suspects
from domain.findings import Finding, Section, Severity
from domain.ports.device_catalogue import DeviceCatalogue, FoundUse, device_name
from domain.told import Told, told

SHOWN_OF_EACH = 20
MOST_SUMS = 200_000
"""So many different things may be done to devices; what a program does beyond them is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """How often each suspicion holds, and findings for the first of each.

    It is not complete while uses of documents are not recorded, or where there are too many of them.
    """

    is_complete: bool
    totals: Mapping[Suspicion, int]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDevices:
    """Made anew from the record whenever it is asked for: registering and indexing do nothing for it."""

    devices: DeviceCatalogue

    async def __call__(self, pgm_id: str) -> DeviceReport:
        """Raises NotFoundError for an unknown program."""
        touched = await self.devices.touched(pgm_id, limit=MOST_SUMS + 1)
        commented = await self.devices.commented(pgm_id)
        found = await asyncio.to_thread(suspects, touched[:MOST_SUMS], commented)
        shown = [suspect for of_one in found.values() for suspect in of_one[:SHOWN_OF_EACH]]
        examples = await self.devices.examples([suspect.touched for suspect in shown])
        return DeviceReport(
            is_complete=len(touched) <= MOST_SUMS and await self.devices.is_complete(pgm_id),
            totals={suspicion: len(of_one) for suspicion, of_one in found.items()},
            findings=tuple(
                _finding(suspect, examples) for suspect in shown if suspect.touched.first_use in examples
            ),  # what was indexed anew meanwhile is gone
        )


def _finding(suspect: Suspect, examples: Mapping[int, FoundUse]) -> Finding:
    first = examples[suspect.touched.first_use]
    last = examples.get(suspect.touched.last_use, first)
    message, hint = _said(suspect, _place(first), _place(last))
    return Finding(
        section=Section.LADDER_CSV,
        code=suspect.suspicion.value,
        file=first.document_name,
        message=message,
        hint=hint,
        severity=Severity.NOTICE,
    )


def _said(suspect: Suspect, first: str, last: str) -> tuple[Told, Told]:
    device = device_name(suspect.address, suspect.touched.bit)
    count = suspect.touched.count
    match suspect.suspicion:
        case Suspicion.COIL_DOUBLE:
            return (
                told(
                    "{count} OUT drive {device}: {first}, …, {last}", count=count, device=device, first=first, last=last
                ),
                told("The last one wins in every scan: keep one, or use SET and RST."),
            )
        case Suspicion.NEVER_READ:
            return (
                told("nothing reads {device}, which is written: {first}", device=device, first=first),
                told("Remove it if no panel and no other CPU reads it."),
            )
        case Suspicion.NEVER_WRITTEN:
            return (
                told("nothing writes {device}, which is read: {first}", device=device, first=first),
                told("Write it, if no panel and no other CPU does."),
            )
        case Suspicion.NO_COMMENT:
            return (
                told("{device} has no comment: {first}", device=device, first=first),
                told("Add it to the device comments and upload them again."),
            )
        case Suspicion.POINTER_MISSING:
            return (
                told("no ladder has the label {device}, which is jumped to: {first}", device=device, first=first),
                told("Add the ladder that has it, or name the right label."),
            )
        case Suspicion.POINTER_UNUSED:
            return (
                told("nothing jumps to the label {device}: {first}", device=device, first=first),
                told("Remove it if nothing else calls it."),
            )


def _place(found: FoundUse) -> str:
    if found.use.step is None:
        return found.document_name
    return told("{file}, step {step}", file=found.document_name, step=found.use.step)
