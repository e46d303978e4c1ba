"""The Kubernetes manifests as kustomize renders them, as far as ours use it: what it does not know, it refuses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
EXAMPLE = KUBERNETES / "overlays" / "example"
OPT_IN = (KUBERNETES / "jobs" / "reindex", KUBERNETES / "scaling" / "worker-backlog")
SECRETS = {
    "DATABASE_URL": "postgresql://ladderbase@postgres/ladderbase",
    "REDIS_URL": "rediss://valkey:6379/0",
    "AWS_ACCESS_KEY_ID": "an-id",
    "AWS_SECRET_ACCESS_KEY": "a-key",
    "MILVUS_TOKEN": "a-token",
    "EMBEDDING_API_KEY": "a-key",
}
_HEAD = {"apiVersion", "kind"}
_KNOWN = _HEAD | {"namespace", "resources", "components", "images", "configMapGenerator", "patches"}
_OF_NO_NAMESPACE = {"Namespace"}


def rendered(folder: Path = EXAMPLE, *, components: Sequence[Path] = ()) -> list[Manifest]:
    """Every object of a kustomization and of `components`; a ConfigMap's name comes without its hash."""
    kustomization = _kustomization(folder)
    objects: list[Manifest] = []
    for name in kustomization.get("resources", []):
        source = (folder / name).resolve()
        objects += rendered(source) if source.is_dir() else _documents(source)
    for component in (*((folder / name).resolve() for name in kustomization.get("components", [])), *components):
        objects += rendered(component)
        _patch(objects, _kustomization(component).get("patches", []))
    if kustomization["kind"] == "Kustomization":
        _patch(objects, kustomization.get("patches", []))
    for generator in kustomization.get("configMapGenerator", []):
        _generate(objects, generator, folder)
    for image in kustomization.get("images", []):
        _name_images(objects, image)
    for manifest in objects:
        if "namespace" in kustomization and manifest["kind"] not in _OF_NO_NAMESPACE:
            manifest["metadata"]["namespace"] = kustomization["namespace"]
    return objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment or a Job with its one container."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def template(self) -> Manifest:
        template: Manifest = self.manifest["spec"]["template"]
        return template

    @property
    def pod(self) -> Manifest:
        pod: Manifest = self.template["spec"]
        return pod

    @property
    def container(self) -> Manifest:
        container: Manifest
        (container,) = self.pod["containers"]
        return container

    @property
    def probes(self) -> Mapping[str, Manifest]:
        return {key: value for key, value in self.container.items() if key.endswith("Probe")}

    @property
    def variables(self) -> Sequence[Manifest]:
        return tuple(self.container.get("env", ()))

    def environment(self, objects: Sequence[Manifest], secrets: Mapping[str, str]) -> dict[str, str]:
        """What the process gets to see. KeyError for a ConfigMap, or a key of the secret, that is not there."""
        maps = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
        environment: dict[str, str] = {}
        for source in self.container.get("envFrom", ()):
            environment |= maps[source["configMapRef"]["name"]]
        for variable in self.variables:
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            environment[variable["name"]] = secrets[secret["key"]] if secret else variable["value"]
        return environment


def workloads(objects: Sequence[Manifest]) -> list[Workload]:
    """Everything that runs pods."""
    return [Workload(manifest=each) for each in objects if "template" in each.get("spec", {})]


def env_file(path: Path) -> dict[str, str]:
    """Name -> value, as kustomize and `kubectl create secret --from-env-file` read such a file."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def of_kind(kind: str) -> list[Manifest]:
    """Of the example with everything."""
    return [each for each in OBJECTS if each["kind"] == kind]


def page() -> str:
    """What is told to those who install it."""
    return (KUBERNETES.parents[1] / "docs" / "kubernetes.md").read_text("utf-8")


def _kustomization(folder: Path) -> Manifest:
    (kustomization,) = _documents(folder / "kustomization.yaml")
    unknown = set(kustomization) - _KNOWN
    if unknown:
        raise ValueError(f"{folder}: this reader does not know {unknown}")
    return kustomization


def _documents(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def _generate(objects: list[Manifest], generator: Manifest, folder: Path) -> None:
    content = {name: value for file in generator["envs"] for name, value in env_file(folder / file).items()}
    if generator.get("behavior") == "merge":
        (merged,) = (each for each in objects if _is_named(each, "ConfigMap", generator["name"]))
        merged["data"] |= content
        return
    metadata = {"name": generator["name"], **generator.get("options", {})}
    objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": content})


def _patch(objects: Sequence[Manifest], patches: Sequence[Manifest]) -> None:
    """JSON patches that take something away."""
    for patch in patches:
        (target,) = (each for each in objects if _is_named(each, patch["target"]["kind"], patch["target"]["name"]))
        for operation in yaml.safe_load(patch["patch"]):
            if operation["op"] != "remove":
                raise ValueError(f"this reader does not know {operation['op']}")
            *parents, last = operation["path"].strip("/").split("/")
            place = target
            for parent in parents:
                place = place[parent]
            del place[last]


def _name_images(objects: Sequence[Manifest], image: Manifest) -> None:
    for container in _containers(objects):
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"


def _containers(objects: Sequence[Manifest]) -> Iterator[Manifest]:
    for workload in workloads(objects):
        yield from workload.pod["containers"]


def _is_named(manifest: Manifest, kind: str, name: str) -> bool:
    return bool(manifest["kind"] == kind and manifest["metadata"]["name"] == name)


OBJECTS = rendered(components=OPT_IN)
"""The example with everything that can be opted into."""

WORKLOADS = {workload.name.removeprefix("ladderbase-"): workload for workload in workloads(OBJECTS)}
