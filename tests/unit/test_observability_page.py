"""The page on what can be seen of the service says what there is."""

import re
from pathlib import Path

from adapters.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
_SUFFIX = {"counter": "_total"}


def instruments() -> dict[str, tuple[str, ...]]:
    """Name -> labels, as a query names it."""
    metrics = Metrics()
    found = [each for each in vars(metrics).values() if hasattr(each, "_labelnames")]
    return {f"{each._name}{_SUFFIX.get(each._type, '')}": tuple(each._labelnames) for each in found}


def test_the_table_names_every_metric_with_its_labels() -> None:
    rows = re.findall(r"^\| `(ladderbase_\w+)` \| (.*?) ?\| ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == instruments()
    assert len(rows) == len(instruments())
