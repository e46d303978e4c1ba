"""The page on what can be seen of the service, the dashboard and the alerts ask for what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.telemetry.metrics import Metrics
from domain.ports.work_watch import WorkResult

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "observability.md"
FOLDER = ROOT / "deploy" / "observability"
VALUES = {
    "status": {"2xx", "3xx", "4xx", "5xx", "none"},
    "state": {"due", "leased", "delayed", "dead", "pending"},
    "purpose": {"index", "query"},
    "result": {*WorkResult, "ok", "unavailable", "misconfigured", "refused", "cancelled", "error"},
}
_SUFFIX = {"counter": "_total"}
_SAMPLE = re.compile(r"(ladderbase_\w+)(?:\{([^}]*)\})?")


def instruments() -> dict[str, tuple[str, ...]]:
    """Name -> labels, as a query names it."""
    metrics = Metrics()
    found = [each for each in vars(metrics).values() if hasattr(each, "_labelnames")]
    return {f"{each._name}{_SUFFIX.get(each._type, '')}": tuple(each._labelnames) for each in found}


def samples() -> dict[str, set[str]]:
    """What a query may ask for: of a histogram its parts."""
    metrics = Metrics()
    parts = {
        f"{each._name}{part}": {*each._labelnames, *(["le"] if part == "_bucket" else [])}
        for each in vars(metrics).values()
        if getattr(each, "_type", "") == "histogram"
        for part in ("_bucket", "_count", "_sum")
    }
    histograms = {name.removesuffix("_count") for name in parts}
    return parts | {name: set(labels) for name, labels in instruments().items() if name not in histograms}


def panels() -> list[dict[str, Any]]:
    board: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    found: list[dict[str, Any]] = board["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def queries() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


def test_the_table_names_every_metric_with_its_labels() -> None:
    rows = re.findall(r"^\| `(ladderbase_\w+)` \| (.*?) ?\| ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == instruments()
    assert len(rows) == len(instruments())


@pytest.mark.parametrize(("name", "query"), list(queries()), ids=lambda text: text[:40])
def test_every_query_asks_for_metrics_and_labels_that_there_are(name: str, query: str) -> None:
    known, asked = samples(), _SAMPLE.findall(query)
    assert asked, name
    there = set().union(*(known[sample] for sample, _ in asked))
    for grouped in re.findall(r"\bby \(([^)]*)\)", query):
        assert {label.strip() for label in grouped.split(",")} <= there, query
    for sample, selector in asked:
        for label, operator, values in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selector):
            assert label in known[sample], query
            if label in VALUES:
                assert set(values.split("|") if "~" in operator else [values]) <= VALUES[label], query


def test_every_metric_is_shown_or_watched() -> None:
    asked = {sample for _, query in queries() for sample, _ in _SAMPLE.findall(query)}
    shown = {re.sub(r"_(bucket|count|sum)$", "", sample) for sample in asked}
    assert set(instruments()) == shown & set(instruments())


def test_panels_stand_beside_each_other_and_alerts_say_what_to_do() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in panels()})
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert {"summary", "action"} <= rule["annotations"].keys()
    named = set(re.findall(r"`(Ladderbase\w+)`", PAGE.read_text("utf-8")))
    assert named == {rule["alert"] for rule in rules()}
