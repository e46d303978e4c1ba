"""Devices over HTTP: those of a program, where one is used, and what looks wrong about them."""

from collections.abc import Mapping
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, QueryParameter, SkipValidation

from application.review_devices import ReviewDevices
from domain.caller import Scope
from domain.device_query import MAX_ADDRESS_CHARACTERS, device_filters, wanted_device
from domain.ladder.roles import Role
from domain.ports.device_catalogue import DeviceCatalogue
from entrypoints.api.device_conversions import device_page, use_page, warnings_body
from entrypoints.api.device_schemas import DevicePage, UsePage, WarningsBody
from entrypoints.api.identifiers import Cursor, PageSize, PgmId
from entrypoints.api.languages import language_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import PGM_ID_PATTERN
from entrypoints.container import Container

_TAGS = ("devices",)
DevicesDependency = NamedDependency[SkipValidation[DeviceCatalogue]]
"""A port is a Protocol, which no validation by `isinstance` can pass."""

_ADDRESS_PATTERN = (
    r"^(?:[A-Za-z]{1,3}|[Uu][0-9A-Fa-f]{1,4}\\[HhGg]{1,2}|(?:[Jj]|[Bb][Ll])[0-9]{1,3}\\[A-Za-z]{1,2})"
    r"[0-9A-Fa-f]{1,10}(?:\.[0-9A-Fa-f])?$"
)
DeviceAddress = Annotated[
    str,
    PathParameter(
        max_length=MAX_ADDRESS_CHARACTERS,
        pattern=_ADDRESS_PATTERN,
        description="A device as programs write it: M100, X1F, D100.5, U3\\G10.",
    ),
]
DeviceKind = Annotated[
    str | None,
    QueryParameter(
        max_length=12, pattern=r"^[A-Za-z0-9\\]+$", description="What stands before the number: D, X, SM, U3\\G."
    ),
]
DevicePrefix = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=MAX_ADDRESS_CHARACTERS,
        pattern=r"^[A-Za-z0-9\\]+$",
        description="How the device's name begins: D1, SM, or U3 and J1 for what stands in a module or network.",
    ),
]
InProgram = Annotated[str | None, QueryParameter(pattern=PGM_ID_PATTERN, description="Only in this program.")]
InRole = Annotated[Role | None, QueryParameter(description="Only where it is used so.")]


@get(
    "/v1/programs/{pgm_id:str}/devices",
    operation_id="list_devices",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def list_devices(
    devices: DevicesDependency,
    pgm_id: PgmId,
    *,
    kind: DeviceKind = None,
    prefix: DevicePrefix = None,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> DevicePage:
    """The devices that a program names, each with its comment and how often it is read, written, set and so on."""
    page = await devices.devices(pgm_id, device_filters(kind, prefix), limit=limit, cursor=cursor)
    return device_page(pgm_id, page, is_complete=await devices.is_complete(pgm_id))


@get(
    "/v1/devices/{address:str}/uses",
    operation_id="list_uses",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def list_uses(
    devices: DevicesDependency,
    address: DeviceAddress,
    *,
    pgm_id: InProgram = None,
    role: InRole = None,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> UsePage:
    """Where a device is used, in all programs or in one: also where a block, a word or digits cover it.

    Of a device with index, or of a block whose length stands in a device, the first one is found. X and Y are
    understood as each program's CPU counts them: octally on an FX, else in hexadecimal.
    """
    wanted = wanted_device(address)
    page = await devices.uses(wanted, limit=limit, cursor=cursor, pgm_id=pgm_id, roles=[role] if role else ())
    return use_page(wanted.name, page, is_complete=await devices.is_complete(pgm_id))


@get(
    "/v1/programs/{pgm_id:str}/warnings",
    operation_id="get_warnings",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def get_warnings(
    request: ApiRequest, review_devices: NamedDependency[ReviewDevices], pgm_id: PgmId
) -> WarningsBody:
    """What looks wrong about a program's devices: double coils, devices that nobody writes or reads, lost labels."""
    return warnings_body(pgm_id, await review_devices(pgm_id), language_of(request.scope))


def device_dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of an application, by the name under which handlers ask for them."""

    async def devices() -> DeviceCatalogue:
        return container.devices()

    async def review_devices() -> ReviewDevices:
        return container.review_devices()

    return {provider.__name__: Provide(provider) for provider in (devices, review_devices)}


HANDLERS = (list_devices, list_uses, get_warnings)
