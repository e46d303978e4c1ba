"""From what is known about devices to the wire's structs."""

from application.review_devices import DeviceReport
from domain.addresses import Address
from domain.ladder.roles import Role
from domain.ports.catalogue import Page
from domain.ports.device_catalogue import DeviceView, FoundUse, device_name
from entrypoints.api import device_schemas as schemas
from entrypoints.api.conversions import finding_body
from entrypoints.api.languages import Language


def device_page(pgm_id: str, page: Page[DeviceView], *, is_complete: bool) -> schemas.DevicePage:
    """Every role is counted, those without uses too."""
    return schemas.DevicePage(
        pgm_id=pgm_id,
        complete=is_complete,
        items=tuple(
            schemas.UsedDeviceBody(
                device=view.name,
                kind=view.address.kind,
                comment=view.comment,
                counts={role: view.counts.get(role, 0) for role in Role},
            )
            for view in page.items
        ),
        next=page.next_cursor,
    )


def use_page(device: str, page: Page[FoundUse], *, is_complete: bool) -> schemas.UsePage:
    """A page of where a device is used."""
    return schemas.UsePage(
        device=device, complete=is_complete, items=tuple(map(_use_body, page.items)), next=page.next_cursor
    )


def warnings_body(pgm_id: str, report: DeviceReport, language: Language) -> schemas.WarningsBody:
    """The warnings, in words of that language."""
    return schemas.WarningsBody(
        pgm_id=pgm_id,
        complete=report.is_complete,
        counts=report.totals,
        findings=tuple(finding_body(finding, language) for finding in report.findings),
    )


def _use_body(found: FoundUse) -> schemas.UseBody:
    use, place = found.use, found.place
    return schemas.UseBody(
        role=use.role,
        instruction=use.mnemonic,
        operand=use.operand,
        first_device=device_name(use.head, use.bit),
        last_device=device_name(Address(space=use.space, number=use.last), use.bit),
        open_ended=use.is_open,
        shifted=use.is_shifted,
        step=use.step,
        rung_id=found.chunk_id,
        pgm_id=found.pgm_id,
        document_id=found.document_id,
        document_name=found.document_name,
        logic_id=place.logic_id,
        logic_name=place.logic_name,
        folder_id=place.folder_id,
        folder_name=place.folder_name,
        sub_folder_name=place.sub_folder_name,
        comment=found.comment,
    )
