"""The Kubernetes manifests fit each other and the Kubernetes API, and let nobody do what need not be done."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from builders.manifests import (
    EXAMPLE,
    KUBERNETES,
    OBJECTS,
    OPT_IN,
    SECRETS,
    WORKLOADS,
    Manifest,
    Workload,
    env_file,
    of_kind,
    page,
    rendered,
)

OLDEST, NEWEST = "1.30", "1.37"
EVERY_WORKLOAD = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
SECRET_NAME = "ladderbase-secrets"
NEVER_SECRET = {"S3_KMS_KEY_ID", "S3_ENDPOINT_URL", "EMBEDDING_BASE_URL"}


def labels_of(workload: Workload) -> Mapping[str, str]:
    labels: Mapping[str, str] = workload.template["metadata"]["labels"]
    return labels


def selected_by(labels: Mapping[str, str]) -> set[str]:
    return {name for name, workload in WORKLOADS.items() if labels.items() <= labels_of(workload).items()}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", OBJECTS, ids=[f"{each['kind']}-{each['metadata']['name']}" for each in OBJECTS])
def test_every_object_is_one_that_the_cluster_knows(manifest: Manifest, version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_nothing_is_there_twice_and_every_file_is_part_of_something() -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in OBJECTS]
    assert len(set(names)) == len(names)
    listed = {
        (path.parent / name).resolve()
        for path in KUBERNETES.rglob("kustomization.yaml")
        for name in yaml.safe_load(path.read_text("utf-8")).get("resources", [])
    }
    assert {path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml"} <= listed


@pytest.mark.parametrize("folder", [EXAMPLE, KUBERNETES / "base"], ids=["example", "base"])
def test_kustomize_renders_what_these_tests_look_at(folder: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl here: the reader of these tests alone has rendered the manifests")
    command = ["kubectl", "kustomize", str(folder)]
    built = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout.decode()
    hashless = re.sub(r"(name: ladderbase-settings)-[0-9a-z]{10}$", r"\1", built, flags=re.MULTILINE)
    assert by_name(yaml.safe_load_all(hashless)) == by_name(rendered(folder))


def by_name(objects: Iterable[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def test_the_base_and_the_example_name_no_metric_that_nobody_serves() -> None:
    metrics = [
        metric["type"]
        for each in rendered()
        if each["kind"] == "HorizontalPodAutoscaler"
        for metric in each["spec"]["metrics"]
    ]
    assert metrics == ["Resource"]


def test_the_example_says_how_to_opt_in() -> None:
    text = (EXAMPLE / "kustomization.yaml").read_text("utf-8")
    named = {(EXAMPLE / name).resolve() for name in re.findall(r"^# - (\S+)", text, flags=re.MULTILINE)}
    assert named == set(OPT_IN)


@EVERY_WORKLOAD
def test_what_is_secret_comes_from_the_secret_alone(workload: Workload) -> None:
    by_reference = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in workload.variables
        if "valueFrom" in variable
    }
    plain = set(workload.environment(OBJECTS, SECRETS)) - set(by_reference)
    assert plain.isdisjoint(SECRETS)
    assert {each for each in plain if re.search("KEY|TOKEN|SECRET|PASSWORD|_URL$", each)} <= NEVER_SECRET
    required = {"DATABASE_URL", "REDIS_URL"}
    for name, reference in by_reference.items():
        optional = {} if name in required else {"optional": True}
        assert reference == {"name": SECRET_NAME, "key": name, **optional}


def test_no_secret_is_kept_here() -> None:
    assert of_kind("Secret") == []
    (settings,) = of_kind("ConfigMap")
    assert set(settings["data"]).isdisjoint(SECRETS)
    assert env_file(EXAMPLE / "secrets.env.example") == dict.fromkeys(SECRETS, "")


@EVERY_WORKLOAD
def test_a_container_may_do_nothing_but_its_work(workload: Workload) -> None:
    security = workload.pod["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] >= 10_000
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert workload.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "initContainers" not in workload.pod


@EVERY_WORKLOAD
def test_no_pod_gets_a_token(workload: Workload) -> None:
    (account,) = of_kind("ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert workload.pod["automountServiceAccountToken"] is False
    assert workload.pod["serviceAccountName"] == account["metadata"]["name"]


@EVERY_WORKLOAD
def test_an_image_has_a_version(workload: Workload) -> None:
    assert re.fullmatch(r"\S+/ladderbase:\d+\.\d+\.\d+", workload.container["image"])


def test_selectors_select_the_pods_of_their_own() -> None:
    for name in ("api", "worker"):
        assert selected_by(WORKLOADS[name].manifest["spec"]["selector"]["matchLabels"]) == {name}
        for constraint in WORKLOADS[name].pod["topologySpreadConstraints"]:
            assert selected_by(constraint["labelSelector"]["matchLabels"]) == {name}
    (service,) = of_kind("Service")
    assert selected_by(service["spec"]["selector"]) == {"api"}
    budgets = [selected_by(each["spec"]["selector"]["matchLabels"]) for each in of_kind("PodDisruptionBudget")]
    assert budgets == [{"api"}, {"worker"}]


@EVERY_WORKLOAD
def test_a_component_can_be_applied_by_its_label(workload: Workload) -> None:
    label = "app.kubernetes.io/component"
    assert workload.manifest["metadata"]["labels"][label] == labels_of(workload)[label]
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in OBJECTS} == {"ladderbase"}
    shared = {each["kind"] for each in OBJECTS if each["metadata"]["labels"][label] == "shared"}
    assert shared == {"Namespace", "ServiceAccount", "ConfigMap", "NetworkPolicy"}


def test_the_service_leads_to_a_port_of_the_api() -> None:
    (service,), (port,) = of_kind("Service"), WORKLOADS["api"].container["ports"]
    assert [each["targetPort"] for each in service["spec"]["ports"]] == [port["name"]]


def test_autoscalers_scale_what_is_there_and_own_its_number() -> None:
    scaled = {each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in of_kind("HorizontalPodAutoscaler")}
    assert set(scaled) == {"ladderbase-api", "ladderbase-worker"}
    for name, spec in scaled.items():
        target = WORKLOADS[name.removeprefix("ladderbase-")].manifest
        assert spec["scaleTargetRef"] == {"apiVersion": target["apiVersion"], "kind": target["kind"], "name": name}
        assert "replicas" not in target["spec"]
        assert 2 <= spec["minReplicas"] < spec["maxReplicas"]


def test_nobody_reaches_a_pod_but_who_has_the_label_for_its_port() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    closed = policies.pop("ladderbase-nobody")
    assert (selected_by(closed["podSelector"]["matchLabels"]), "ingress" in closed) == (set(WORKLOADS), False)
    opened = set()
    for policy in policies.values():
        (rule,), (name,) = policy["ingress"], selected_by(policy["podSelector"]["matchLabels"])
        (source,), (port,) = rule["from"], rule["ports"]
        (label,) = source["podSelector"]["matchLabels"].items()
        assert port["port"] in {each["name"] for each in WORKLOADS[name].container["ports"]}
        opened.add((name, port["port"], label))
    assert opened == {
        ("api", "http", ("ladderbase-client", "true")),
        ("worker", "metrics", ("ladderbase-metrics", "true")),
    }


def test_a_worker_serves_its_metrics_at_the_port_that_it_names() -> None:
    container = WORKLOADS["worker"].container
    (port,) = container["ports"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["WORKER_METRICS_PORT"] == str(port["containerPort"])
    assert environment["WORKER_METRICS_HOST"] == "0.0.0.0"  # noqa: S104 - of a pod


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_new_version_takes_no_pod_away_before_its_own_serves(name: str) -> None:
    assert WORKLOADS[name].manifest["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_the_page_tells_what_the_manifests_say() -> None:
    text = page()
    probed = {probe["httpGet"]["path"] for probe in WORKLOADS["api"].probes.values()}
    alive = " ".join(WORKLOADS["worker"].probes["livenessProbe"]["exec"]["command"])
    (metric,) = (
        metric["external"]["metric"]["name"]
        for each in of_kind("HorizontalPodAutoscaler")
        for metric in each["spec"]["metrics"]
        if metric["type"] == "External"
    )
    labels = {"ladderbase-client", "ladderbase-metrics"}
    named = {*SECRETS, *probed, *WORKLOADS, *labels, alive, metric, SECRET_NAME, OLDEST}
    assert {name for name in named if name not in text} == set()
