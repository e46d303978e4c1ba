"""What was measured: samples, rows, the table, the JSON."""

import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of some repetitions."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """What stands for them all."""
        return statistics.median(self.values)

    def told(self, unit: str) -> str:
        """The median, and from where to where the values go."""
        if len(self.values) == 1:
            return f"{_number(self.median)} {unit}"
        return f"{_number(self.median)} {unit} ({_number(min(self.values))}..{_number(max(self.values))})"


def sample(values: Iterable[float]) -> Sample:
    """A sample of these."""
    return Sample(tuple(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def exponent(by_size: Mapping[int, float]) -> float:
    """By which power of the size a figure grows: the slope of the line through the logarithms, by least squares."""
    return statistics.linear_regression(
        [math.log(size) for size in by_size], list(map(math.log, by_size.values()))
    ).slope


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure and what is asked of it: of the ratio to the baseline where there is one, else of the figure itself."""

    name: str
    unit: str
    measured: Sample
    against: str = ""
    baseline: Sample | None = None
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def figure(self) -> float:
        """What the target is about."""
        return self.measured.median / self.baseline.median if self.baseline else self.measured.median

    @property
    def holds(self) -> bool | None:
        """None where nothing is asked."""
        if self.at_most is not None:
            return self.figure <= self.at_most
        return self.figure >= self.at_least if self.at_least is not None else None

    @property
    def share(self) -> float | None:
        """How much of what is allowed it takes: more than 1 misses it. None where nothing is asked."""
        if self.at_most is not None:
            return self.figure / self.at_most
        return self.at_least / self.figure if self.at_least is not None else None

    @property
    def target(self) -> str:
        """What is asked, in words."""
        bound = self.at_most if self.at_most is not None else self.at_least
        if bound is None:
            return ""
        unit = "x" if self.baseline else self.unit
        return f"{'<=' if self.at_most is not None else '>='} {bound:g} {unit}"

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        return (
            self.name,
            self.measured.told(self.unit),
            f"{self.against} {self.baseline.told(self.unit)}" if self.baseline else "",
            f"{self.figure:.3g} x" if self.baseline else "",
            self.target,
            {True: "yes", False: "NO", None: ""}[self.holds],
            self.note,
        )


HEADINGS = ("row", "measured (spread)", "against", "ratio", "target", "holds", "note")


def table_line(cells: Sequence[str]) -> str:
    """One line of the table."""
    widths = (52, 30, 40, 8, 12, 5)
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False))
    return " ".join((*padded, cells[-1])).rstrip()


def write_json(rows: Sequence[Row], file: Path) -> None:
    """All values of all rows, and on what they were measured."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "measured_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "rows": [
            {
                "name": row.name,
                "unit": row.unit,
                "median": row.measured.median,
                "values": row.measured.values,
                "against": row.against,
                "baseline": row.baseline.values if row.baseline else None,
                "figure": row.figure,
                "target": row.target,
                "holds": row.holds,
                "note": row.note,
            }
            for row in rows
        ],
    }
    file.write_text(json.dumps(content, indent=2) + "\n")


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
