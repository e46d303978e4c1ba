"""The rows with a target as an SVG: how much of what is allowed each takes."""

import html
import math
from collections.abc import Iterator, Sequence

from figures import Row

_LEFT, _WIDTH, _LINE = 470, 360, 20
_LEAST, _MOST = 0.01, 100.0
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = {True: "#2a7f4f", False: "#b3392f"}


def plot_of(rows: Sequence[Row]) -> str:
    """A bar for each row on a logarithmic scale; the line is the target, and what ends left of it holds."""
    asked = [row for row in rows if row.share is not None]
    height = _LINE * len(asked) + 50
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 60} {height}" {_FONT}>',
            f'<rect width="100%" height="100%" fill="#fff"/><text x="{_LEFT}" y="18">share of what is allowed</text>',
            *_scale(height),
            *(line for place, row in enumerate(asked) for line in _bar(row, 34 + place * _LINE)),
            "</svg>\n",
        )
    )


def _scale(height: int) -> Iterator[str]:
    for share in (0.01, 0.1, 1.0, 10.0, 100.0):
        stroke = "#333" if share == 1 else "#ddd"
        yield f'<line x1="{_x(share):.0f}" x2="{_x(share):.0f}" y1="26" y2="{height - 18}" stroke="{stroke}"/>'
        yield f'<text x="{_x(share):.0f}" y="{height - 4}" text-anchor="middle" fill="#555">{share:g}</text>'


def _bar(row: Row, y: int) -> Iterator[str]:
    share = row.share or _LEAST
    name = html.escape(f"{row.name}{f' / {row.against}' if row.against else ''}")
    yield f'<text x="{_LEFT - 8}" y="{y + 10}" text-anchor="end">{name}</text>'
    yield (
        f'<rect x="{_LEFT}" y="{y}" width="{max(1.0, _x(share) - _LEFT):.0f}" height="12"'
        f' fill="{_COLOURS[bool(row.holds)]}"/>'
    )
    yield f'<text x="{_x(share) + 4:.0f}" y="{y + 10}" fill="#333">{share:.2g}</text>'


def _x(share: float) -> float:
    """The place of a share; what is beyond the scale stands at its end."""
    bounded = min(max(share, _LEAST), _MOST)
    return _LEFT + _WIDTH * math.log(bounded / _LEAST) / math.log(_MOST / _LEAST)
