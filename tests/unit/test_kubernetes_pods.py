"""The pods of the Kubernetes manifests give each process the settings, the room and the time that its code needs."""

import inspect
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.routes import HTTPRoute

from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_process import _STOP_TIMEOUT_S as READERS_STOP_S
from adapters.postgres import migrations_runner
from adapters.postgres.engine import create_engine
from application.check_readiness import CheckReadiness
from builders.manifests import KUBERNETES, OBJECTS, SECRETS, WORKLOADS, Workload, env_file, page
from builders.service import a_service
from domain.events import DOCUMENTS_PER_EVENT
from domain.upload import MEBIBYTE
from entrypoints import lifespan, worker
from entrypoints.api.app import create_app
from entrypoints.api.main import GRACE_S
from entrypoints.api.needs import needed_by
from entrypoints.api.receive_upload import UploadReception
from entrypoints.cli.main import main as ladderbase
from entrypoints.settings import Settings, read_database_url, read_settings, require_consistent_access

EVERY_WORKLOAD = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
PROCESSES = pytest.mark.parametrize("name", ["api", "worker", "reindex"])
NO_SETTINGS = {"OPENBLAS_NUM_THREADS"}
UNITS = {"": 1, "m": 0.001, "Ki": 1024, "Mi": MEBIBYTE, "Gi": 1024 * MEBIBYTE}


def amount(quantity: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", str(quantity)).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def settings_of(workload: Workload) -> Settings:
    return read_settings(workload.environment(OBJECTS, SECRETS))


def scratch_bytes(workload: Workload) -> float:
    (volume,) = workload.pod["volumes"]
    assert "medium" not in volume["emptyDir"]  # memory would count as the container's
    return amount(volume["emptyDir"]["sizeLimit"])


@EVERY_WORKLOAD
def test_every_variable_is_a_setting(workload: Workload) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(Settings)} | NO_SETTINGS
    environment = workload.environment(OBJECTS, SECRETS)
    assert set(environment) <= known
    assert len({variable["name"] for variable in workload.variables}) == len(workload.variables)


@PROCESSES
def test_the_environment_is_one_that_the_process_starts_with(name: str) -> None:
    settings = settings_of(WORKLOADS[name])
    assert (settings.storage_type, settings.s3_bucket_name) == ("s3", "example-ladderbase")
    assert settings.database_url == SECRETS["DATABASE_URL"]
    assert settings.redis_url == SECRETS["REDIS_URL"]


def test_the_base_alone_keeps_nothing_on_a_pod_s_disk() -> None:
    assert env_file(KUBERNETES / "base" / "settings.env")["STORAGE_TYPE"] == "s3"


def test_the_migration_gets_the_database_and_no_other_secret() -> None:
    environment = WORKLOADS["migrate"].environment(OBJECTS, SECRETS)
    assert list(environment) == ["DATABASE_URL"]
    assert read_database_url(environment) == SECRETS["DATABASE_URL"]


@EVERY_WORKLOAD
def test_other_services_put_nothing_into_the_environment(workload: Workload) -> None:
    assert workload.pod["enableServiceLinks"] is False  # a Service named milvus would set MILVUS_PORT


@EVERY_WORKLOAD
def test_resources_are_asked_for_and_bounded(workload: Workload) -> None:
    requests, limits = (workload.container["resources"][part] for part in ("requests", "limits"))
    for resource in ("cpu", "memory"):
        assert 0 < amount(requests[resource]) <= amount(limits[resource])
    assert amount(requests["ephemeral-storage"]) == scratch_bytes(workload)


@PROCESSES
def test_memory_is_enough_for_the_worst_files_at_once(name: str) -> None:
    limit, of_the_process = amount(WORKLOADS[name].container["resources"]["limits"]["memory"]), 512 * MEBIBYTE
    readers = lifespan._READERS * (ProcessLimits().memory_bytes + ProcessLimits().value_bytes)
    assert limit >= of_the_process + readers


@PROCESSES
def test_the_embedder_takes_no_more_threads_than_the_container_has_cores(name: str) -> None:
    environment = WORKLOADS[name].environment(OBJECTS, SECRETS)
    assert int(environment["OPENBLAS_NUM_THREADS"]) <= amount(WORKLOADS[name].container["resources"]["limits"]["cpu"])


@EVERY_WORKLOAD
def test_the_one_folder_that_can_be_written_to_is_where_python_looks_for_one(workload: Workload) -> None:
    """Without one, `tempfile` raises when the settings are imported."""
    (mount,) = workload.container["volumeMounts"]
    (volume,) = workload.pod["volumes"]
    assert (mount["mountPath"], mount["name"]) == ("/tmp", volume["name"])  # noqa: S108 - inside the container
    environment = workload.environment(OBJECTS, SECRETS)
    assert environment.get("SCRATCH_DIR", mount["mountPath"]) == mount["mountPath"]


async def nothing_to_ask() -> None:
    pass


def test_the_scratch_disk_of_the_api_holds_the_uploads_that_its_comment_tells() -> None:
    limits = settings_of(WORKLOADS["api"]).upload_limits
    largest = UploadReception(scratch=Path(), limits=limits, require_record=nothing_to_ask).body_limit_bytes
    uploads = int(scratch_bytes(WORKLOADS["api"]) / largest)
    assert f"# {uploads} of the largest uploads" in (KUBERNETES / "base" / "api.yaml").read_text("utf-8")
    assert f"{uploads} of the largest uploads" in page()


@pytest.mark.parametrize("name", ["worker", "reindex"])
def test_the_scratch_disk_of_a_worker_holds_the_largest_jobs(name: str) -> None:
    """Each with its archive, and the documents of an event as they are fetched and as they are handed on."""
    settings = settings_of(WORKLOADS[name])
    limits = settings.upload_limits
    job = limits.zip_bytes + 2 * DOCUMENTS_PER_EVENT * limits.csv_bytes
    assert scratch_bytes(WORKLOADS[name]) >= settings.worker_jobs * job


@pytest.fixture
async def app(tmp_path: Path) -> Litestar:
    return create_app((await a_service(tmp_path)).container)


def test_http_probes_ask_routes_and_the_port_that_there_are(app: Litestar) -> None:
    api = WORKLOADS["api"]
    assert set(api.probes) == {"startupProbe", "livenessProbe", "readinessProbe"}
    routes = {route.path for route in app.routes}
    (port,) = api.container["ports"]
    settings = settings_of(api)
    assert (settings.host, settings.port) == ("0.0.0.0", port["containerPort"])  # noqa: S104 - inside the pod
    for probe in api.probes.values():
        assert probe["httpGet"]["path"].partition("?")[0] in routes
        assert probe["httpGet"]["port"] == port["name"]


def test_probes_are_asked_for_no_key_and_everybody_else_is(app: Litestar) -> None:
    api = WORKLOADS["api"]
    settings = settings_of(api)
    require_consistent_access(settings)
    assert settings.auth == "required"
    handlers = {route.path: route.route_handlers for route in app.routes if isinstance(route, HTTPRoute)}
    for probe in api.probes.values():
        path = probe["httpGet"]["path"].partition("?")[0]
        assert "nothing" in {needed_by(handler) for handler in handlers[path]}


def test_a_probe_that_ends_a_process_asks_for_nothing_but_the_process() -> None:
    probes = WORKLOADS["api"].probes
    assert {probes[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe")} == {"/healthz"}


def test_the_readiness_probe_outlasts_the_checks_that_it_asks_for() -> None:
    waits_s = CheckReadiness(checks={}).timeout_s
    assert WORKLOADS["api"].probes["readinessProbe"]["timeoutSeconds"] > waits_s


def test_a_worker_is_not_ended_between_two_signs_of_life() -> None:
    probe = WORKLOADS["worker"].probes["livenessProbe"]
    assert (probe["failureThreshold"] - 1) * probe["periodSeconds"] > 2 * worker.HEALTH_EVERY_S


def commands() -> list[Any]:
    started = {name: workload.container["command"] for name, workload in WORKLOADS.items()}
    probed = {
        f"{name}-{kind}": probe["exec"]["command"]
        for name, workload in WORKLOADS.items()
        for kind, probe in workload.probes.items()
        if "exec" in probe
    }
    return [pytest.param(command, id=name) for name, command in (started | probed).items()]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_there(command: Sequence[str]) -> None:
    program, *arguments = command
    if program == "python":
        assert arguments[0] == "-m"
        assert find_spec(arguments[1]) is not None
    else:
        assert program == "ladderbase"
        assert CliRunner().invoke(ladderbase, [*arguments, "--help"]).exit_code == 0


def test_the_api_has_the_time_to_answer_what_is_in_flight() -> None:
    api = WORKLOADS["api"]
    until_unreachable = api.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert api.pod["terminationGracePeriodSeconds"] >= until_unreachable + GRACE_S + 2 * READERS_STOP_S


@pytest.mark.parametrize("name", ["worker", "reindex"])
def test_a_worker_has_the_time_to_hand_its_work_back(name: str) -> None:
    waits = inspect.signature(create_engine).parameters
    transaction_s = sum(
        waits[part].default for part in ("pool_wait_s", "connect_timeout_s", "statement_timeout_s", "client_grace_s")
    )
    grace_s = WORKLOADS[name].pod["terminationGracePeriodSeconds"]
    assert grace_s >= 2 * transaction_s + 2 * READERS_STOP_S


def test_a_migration_has_the_time_for_several_turns() -> None:
    spec = WORKLOADS["migrate"].manifest["spec"]
    turn_s = migrations_runner._TURN_WAIT_S + migrations_runner._STATEMENT_TIMEOUT_S
    assert spec["activeDeadlineSeconds"] >= (spec["backoffLimit"] + 1) * turn_s


def test_the_page_counts_the_connections_to_postgres() -> None:
    settings = settings_of(WORKLOADS["worker"])
    pool = lifespan._CONNECTIONS + 2 * settings.worker_jobs
    assert f"{pool} for each API pod, {pool + 1} for each worker" in page()
