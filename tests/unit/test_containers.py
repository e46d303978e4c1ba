"""The image and compose.yaml: what runs, as whom, with which settings, and what it cannot reach or write."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from litestar import Litestar

from builders.manifests import WORKLOADS
from builders.service import a_service
from domain.upload import MEBIBYTE
from entrypoints import healthcheck
from entrypoints.api.app import create_app
from entrypoints.cli.main import main as ladderbase
from entrypoints.settings import Settings, read_database_url, read_settings, require_consistent_access

ROOT = Path(__file__).parents[2]
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
PROCESSES = ("api", "worker")
ONE_SHOTS = ("migrate", "bucket")
NO_SETTINGS = {"OPENBLAS_NUM_THREADS"}
METRICS = {"WORKER_METRICS_HOST", "WORKER_METRICS_PORT"}
EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)
EVERY_PROCESS = pytest.mark.parametrize("name", PROCESSES)


def instructions() -> list[tuple[str, str]]:
    """Each with its argument, lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"))
    joined = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined if line)]


def last_stage() -> list[tuple[str, str]]:
    every = instructions()
    start = max(number for number, (word, _) in enumerate(every) if word == "FROM")
    return every[start:]


def the(word: str) -> str:
    """What the last stage says about it, once."""
    (found,) = (rest for each, rest in last_stage() if each == word)
    return found


def environment(name: str) -> dict[str, str]:
    """What the service gets where nobody has set anything."""
    given = SERVICES[name].get("environment", {})
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in given.items()}


def pinned(lock: str) -> dict[str, set[str]]:
    """Each requirement of a lock file, as `name==version`, with its hashes."""
    entries = re.split(r"(?m)^(?=[a-z])", (ROOT / lock).read_text("utf-8"))
    return {entry.split()[0]: set(re.findall(r"sha256:\w+", entry)) for entry in entries if entry}


def names(requirements: Sequence[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


def project() -> Mapping[str, Any]:
    described: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return described


def test_the_image_runs_as_the_user_that_the_pods_name() -> None:
    security = WORKLOADS["api"].pod["securityContext"]
    assert the("USER") == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert security["runAsUser"] > 0


def test_a_signal_reaches_python_and_no_shell() -> None:
    assert json.loads(the("CMD")) == WORKLOADS["api"].container["command"]
    assert "ENTRYPOINT" not in dict(last_stage())


def test_the_image_asks_the_health_of_the_api_at_the_port_that_it_names() -> None:
    command = json.loads(the("HEALTHCHECK").partition("CMD ")[2])
    assert command == ["python", "-m", "entrypoints.healthcheck", "api"]
    assert the("EXPOSE") == environment("api")["PORT"]


def test_nothing_is_installed_in_the_last_stage() -> None:
    ran = " ".join(rest for word, rest in last_stage() if word == "RUN")
    assert not re.findall(r"\b(pip|uv|apt-get|apt|curl|wget) ", ran)
    copied = [rest for word, rest in last_stage() if word == "COPY"]
    assert all(rest.startswith("--from=") for rest in copied)


def test_every_stage_begins_with_one_image_that_has_a_tag() -> None:
    ((_, first),) = (each for each in instructions()[:1] if each[0] == "ARG")
    variable, image = first.split("=")
    assert is_pinned(image)
    bases = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert bases - {"tools", "libraries"} == {f"${{{variable}}}"}


def test_no_address_and_no_secret_is_baked_into_the_image() -> None:
    assert "://" not in " ".join(rest for _, rest in instructions())
    defaults = [rest for word, rest in instructions() if word == "ARG" and "=" in rest]
    assert defaults == ["PYTHON_IMAGE=python:3.11-slim-bookworm"]
    assert not {field.encode_name for field in msgspec.structs.fields(Settings)} & set(re.findall(r"\w+", the("ENV")))


def test_what_may_enter_the_build_is_listed_and_is_what_the_build_copies() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert let_in == copied
    assert all((ROOT / source).exists() for source in let_in)
    assert not let_in & {".git", ".venv", ".env", "data", "tests", "deploy"}


def test_the_image_has_the_versions_that_were_tested() -> None:
    tested, shipped = pinned("requirements.lock"), pinned("requirements-server.lock")
    assert set(shipped) <= set(tested)
    assert all(shipped[each] and shipped[each] == tested[each] for each in shipped)
    assert "://" not in (ROOT / "requirements-server.lock").read_text("utf-8")


def test_the_image_has_what_the_processes_need_and_neither_tools_nor_servers() -> None:
    shipped = {requirement.partition("==")[0] for requirement in pinned("requirements-server.lock")}
    extras = names([each for extra in project()["optional-dependencies"].values() for each in extra])
    assert names(project()["dependencies"]) <= shipped
    assert not shipped & (extras - {"pyyaml"})  # which Litestar brings along


@EVERY_PROCESS
def test_the_environment_is_one_that_the_process_starts_with(name: str) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(Settings)} | NO_SETTINGS
    assert set(environment(name)) <= known
    settings = read_settings(environment(name))
    assert (settings.storage_type, settings.host, settings.scratch_dir) == ("s3", "0.0.0.0", "/tmp")  # noqa: S104, S108
    require_consistent_access(settings)
    assert settings.auth == "required"


def test_the_processes_differ_by_command_threads_and_where_a_worker_tells_its_metrics() -> None:
    api, worker = environment("api"), environment("worker")
    assert {key for key in api | worker if api.get(key) != worker.get(key)} == NO_SETTINGS | METRICS
    assert {SERVICES[name]["image"] for name in (*PROCESSES, "migrate")} == {"ladderbase:local"}
    for name in (*PROCESSES, "migrate"):
        assert SERVICES[name]["command"] == WORKLOADS[name].container["command"]


def test_the_migration_gets_the_database_and_nothing_else() -> None:
    assert list(environment("migrate")) == ["DATABASE_URL"]
    assert read_database_url(environment("migrate")) == environment("api")["DATABASE_URL"]
    assert CliRunner().invoke(ladderbase, [*SERVICES["migrate"]["command"][1:], "--help"]).exit_code == 0


@pytest.mark.parametrize("setting", ["DATABASE_URL", "REDIS_URL", "MILVUS_URI", "S3_ENDPOINT_URL"])
def test_every_address_is_a_server_on_a_network_of_its_own(setting: str) -> None:
    host = urlsplit(environment("api")[setting]).hostname or ""
    assert SERVICES[host]["networks"] == ["servers"]
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    assert all("servers" in SERVICES[name]["networks"] for name in PROCESSES)


def test_both_sides_know_the_same_names_and_passwords() -> None:
    api, postgres, minio = environment("api"), environment("postgres"), environment("minio")
    database = urlsplit(api["DATABASE_URL"])
    assert (database.username, database.password) == (postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"])
    assert database.path == f"/{postgres['POSTGRES_DB']}"
    keys = (minio["MINIO_ROOT_USER"], minio["MINIO_ROOT_PASSWORD"])
    assert (api["AWS_ACCESS_KEY_ID"], api["AWS_SECRET_ACCESS_KEY"]) == keys
    store = urlsplit(environment("bucket")["MC_HOST_store"])
    assert (store.username, store.password, f"http://{store.hostname}:{store.port}") == (*keys, api["S3_ENDPOINT_URL"])
    assert SERVICES["bucket"]["command"][-1] == f"store/{api['S3_BUCKET_NAME']}"


def test_a_password_can_be_set_wherever_it_stands() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    used = re.findall(r"(\w+): .*for-development", text)
    assert len(used) == text.count("_PASSWORD:-for-development}") == text.count("for-development}")


def test_the_api_alone_is_published_and_on_loopback() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["api"]
    (published,) = SERVICES["api"]["ports"]
    assert re.fullmatch(rf"127\.0\.0\.1:\$\{{PORT:-8000\}}:{environment('api')['PORT']}", published)


def dependencies() -> Iterator[tuple[str, str, str]]:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            yield name, other, how["condition"]


@pytest.mark.parametrize(("name", "other", "condition"), list(dependencies()))
def test_what_is_waited_for_can_come_true(name: str, other: str, condition: str) -> None:
    if other in ONE_SHOTS:
        assert (condition, SERVICES[other]["restart"]) == ("service_completed_successfully", "no")
    else:
        assert condition == "service_healthy"
        assert SERVICES[other]["healthcheck"]["test"][0] == "CMD"


def test_the_processes_wait_for_all_that_they_need() -> None:
    for name in PROCESSES:
        assert set(SERVICES[name]["depends_on"]) == {"migrate", "bucket", "valkey", "milvus"}


@EVERY_PROCESS
def test_health_is_asked_as_in_kubernetes_and_of_what_there_is(name: str) -> None:
    program, *arguments = SERVICES[name]["healthcheck"]["test"][1:]
    assert (program, arguments) == ("python", ["-m", "entrypoints.healthcheck", name])
    assert find_spec(arguments[1]) is not None
    assert name in healthcheck._CHECKS


async def test_the_route_of_the_health_check_is_there(tmp_path: Path) -> None:
    app: Litestar = create_app((await a_service(tmp_path)).container)
    assert healthcheck.ROUTE in {route.path for route in app.routes}


@EVERY_SERVICE
def test_nobody_can_write_to_the_image_or_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is (name != "milvus")
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert not {"privileged", "cap_add", "pid", "network_mode"} & set(service)


@EVERY_SERVICE
def test_everything_is_bounded_and_started_again_unless_it_is_to_end(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"memory", "pids"}  # `cpus` keeps it from starting on a smaller machine
    assert SERVICES[name]["restart"] == ("no" if name in ONE_SHOTS else "unless-stopped")


@EVERY_PROCESS
def test_a_process_has_the_memory_and_the_time_to_end_of_its_pod(name: str) -> None:
    workload = WORKLOADS[name]
    assert f"{SERVICES[name]['deploy']['resources']['limits']['memory']}i" == (
        workload.container["resources"]["limits"]["memory"].lower()
    )
    assert SERVICES[name]["stop_grace_period"] == f"{workload.pod['terminationGracePeriodSeconds']}s"


@EVERY_PROCESS
def test_files_on_their_way_through_are_on_a_disk(name: str) -> None:
    assert SERVICES[name]["volumes"] == [f"{name}-scratch:{environment(name)['SCRATCH_DIR']}"]
    assert "tmpfs" not in SERVICES[name]


def test_every_volume_is_named_and_used() -> None:
    mounted = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())]
    files = [source for source in mounted if source.startswith(".")]
    assert all((ROOT / source).is_file() for source in files)
    assert sorted(set(mounted) - set(files)) == sorted(COMPOSE["volumes"])
    assert len(mounted) == len(set(mounted))


def is_pinned(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(tag) and tag != "latest"


@EVERY_SERVICE
def test_every_image_has_a_tag(name: str) -> None:
    assert is_pinned(SERVICES[name]["image"])


def test_the_queue_forgets_nothing_and_stays_below_its_limit() -> None:
    command = SERVICES["valkey"]["command"]
    said = dict(zip(command[1::2], command[2::2], strict=True))
    assert (said["--appendonly"], said["--maxmemory-policy"]) == ("yes", "noeviction")
    limit = SERVICES["valkey"]["deploy"]["resources"]["limits"]["memory"]
    assert 2 * int(said["--maxmemory"].removesuffix("mb")) * MEBIBYTE <= int(limit.removesuffix("m")) * MEBIBYTE
