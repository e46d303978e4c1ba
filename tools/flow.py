"""Draws docs/img/flow.svg and its Korean twin: the way of an upload and the way of a search. `python tools/flow.py`.

Both stand on a ground of their own, so that they are legible on a dark page and on a light one.
"""

import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / "docs" / "img"
_WIDE, _HIGH, _GAP, _EDGE = 130, 50, 22, 16
_WIDTH, _HEIGHT = 2 * _EDGE + 6 * _WIDE + 5 * _GAP, 372
_UPLOAD_Y, _STORES_Y, _SEARCH_Y = 44, 128, 250


class Box(NamedTuple):
    """A part of the product: its column, the top of its row, its kind (a class of the style) and its name."""

    column: int
    y: int
    kind: str
    name: str

    @property
    def x(self) -> int:
        """Its left side."""
        return _EDGE + self.column * (_WIDE + _GAP)


BOXES = (
    Box(0, _UPLOAD_Y, "person", "upload"),
    Box(1, _UPLOAD_Y, "process", "api"),
    Box(2, _UPLOAD_Y, "truth", "postgres"),
    Box(3, _UPLOAD_Y, "made", "queue"),
    Box(4, _UPLOAD_Y, "process", "worker"),
    Box(5, _UPLOAD_Y, "made", "milvus"),
    Box(2, _STORES_Y, "truth", "blobs"),
    Box(5, _STORES_Y, "process", "embedder"),
    Box(0, _SEARCH_Y, "person", "query"),
    Box(1, _SEARCH_Y, "process", "asking"),
    Box(2, _SEARCH_Y, "made", "lanes"),
    Box(3, _SEARCH_Y, "truth", "visible"),
    Box(4, _SEARCH_Y, "process", "fusion"),
    Box(5, _SEARCH_Y, "person", "hits"),
)
ENGLISH = {
    "title": ("The way of an upload and the way of a search through Ladderbase", ""),
    "upload": ("upload", "ZIP and template"),
    "api": ("API", "checks all, answers"),
    "postgres": ("Postgres", "record and outbox"),
    "queue": ("Redis queue", "events under a lease"),
    "worker": ("worker", "reads the rungs"),
    "milvus": ("Milvus", "vectors and tokens"),
    "blobs": ("blob store", "files, byte for byte"),
    "embedder": ("embedder", "texts into vectors"),
    "query": ("query", "device, word, sentence"),
    "asking": ("API", "asks both lanes"),
    "lanes": ("Milvus", "by meaning, by token"),
    "visible": ("Postgres", "what may be shown"),
    "fusion": ("gate and fusion", "best first"),
    "hits": ("hits", "rungs with their place"),
    "truth": ("the truth: back these two up", ""),
    "made": ("can be lost: it is made again from them", ""),
}
KOREAN = {
    "title": ("업로드와 검색이 Ladderbase를 지나는 길", ""),
    "upload": ("업로드", "ZIP과 템플릿"),
    "api": ("API", "모두 검사하고 응답"),
    "postgres": ("Postgres", "기록과 아웃박스"),
    "queue": ("Redis 큐", "리스를 건 이벤트"),
    "worker": ("워커", "렁 추출"),
    "milvus": ("Milvus", "벡터와 토큰"),
    "blobs": ("파일 저장소", "받은 그대로"),
    "embedder": ("임베더", "글을 벡터로"),
    "query": ("검색어", "디바이스, 단어, 문장"),
    "asking": ("API", "두 갈래로 물음"),
    "lanes": ("Milvus", "의미와 토큰"),
    "visible": ("Postgres", "보여도 되는 것"),
    "fusion": ("거르고 합침", "좋은 것부터"),
    "hits": ("결과", "렁과 그 위치"),
    "truth": ("기준 데이터: 이 둘을 백업", ""),
    "made": ("잃어도 됨: 위의 둘에서 다시 만듦", ""),
}
_STYLE = """text { font: 11px system-ui, "Noto Sans KR", sans-serif; fill: #24292f; text-anchor: middle; }
.name { font-size: 13px; font-weight: 600; } .key { text-anchor: start; }
rect { stroke: #57606a; fill: #ffffff; } .ground { fill: #f6f8fa; stroke: #d0d7de; }
.person { fill: #f6f8fa; stroke: none; } .truth { fill: #cfe4ff; stroke: #0550ae; stroke-width: 2; }
.made { fill: #fff4d6; stroke: #8a6100; stroke-dasharray: 5 3; }
path { fill: none; stroke: #57606a; stroke-width: 1.5; marker-end: url(#tip); }
marker path { fill: #57606a; stroke: none; }"""


def drawn(words: Mapping[str, tuple[str, str]]) -> str:
    """The picture with these words."""
    return "\n".join(_lines(words)) + "\n"


def _lines(words: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    title = escape(words["title"][0])
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        ' role="img" aria-labelledby="title">'
    )
    yield f'<title id="title">{title}</title>'
    yield f"<style>\n{_STYLE}\n</style>"
    yield '<marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    yield '<path d="M0,0 8,4 0,8z"/></marker>'
    yield f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="8"/>'
    yield from _arrows()
    for box in BOXES:
        name, more = words[box.name]
        middle = box.x + _WIDE // 2
        yield f'<rect class="{box.kind}" x="{box.x}" y="{box.y}" width="{_WIDE}" height="{_HIGH}" rx="6"/>'
        yield f'<text class="name" x="{middle}" y="{box.y + 21}">{escape(name)}</text>'
        yield f'<text x="{middle}" y="{box.y + 38}">{escape(more)}</text>'
    for kind, x in (("truth", _EDGE), ("made", _WIDTH // 2)):
        yield f'<rect class="{kind}" x="{x}" y="330" width="22" height="14" rx="3"/>'
        yield f'<text class="key" x="{x + 30}" y="341">{escape(words[kind][0])}</text>'
    yield "</svg>"


def _arrows() -> Iterator[str]:
    """Along each row; from the API to the blob store, from there to the worker, and by the embedder to Milvus."""
    for y in (_UPLOAD_Y, _SEARCH_Y):
        for left in [box for box in BOXES if box.y == y and box.column < 5]:  # noqa: PLR2004 - the last column
            yield _arrow(f"M{left.x + _WIDE},{y + _HIGH // 2} h{_GAP - 1}")
    below, beside = _UPLOAD_Y + _HIGH, _STORES_Y + _HIGH // 2
    api, blobs, worker, embedder = (next(box for box in BOXES if box.name == name) for name in _BY_WAY_OF_STORES)
    yield _arrow(f"M{api.x + _WIDE // 2},{below} V{beside} H{blobs.x - 1}")
    yield _arrow(f"M{blobs.x + _WIDE},{beside} H{worker.x + 40} V{below + 1}")
    yield _arrow(f"M{worker.x + 80},{below} V{beside} H{embedder.x - 1}")
    yield _arrow(f"M{embedder.x + _WIDE // 2},{_STORES_Y} V{below + 1}")


_BY_WAY_OF_STORES = ("api", "blobs", "worker", "embedder")


def _arrow(way: str) -> str:
    return f'<path d="{way}"/>'


def main() -> int:
    """Write both."""
    for name, words in (("flow.svg", ENGLISH), ("flow.ko.svg", KOREAN)):
        (FOLDER / name).write_text(drawn(words), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
