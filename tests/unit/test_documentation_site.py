"""The site that `make docs` builds needs no network, can be searched, and is not built of what leads nowhere."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "docs"
# What a browser loads by itself. A link is followed by a reader, who sees where it leads.
LOADED = {"src", "srcset", "data", "poster", "background", "xlink:href"}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "manifest", "preconnect"}
REMOTE = re.compile(r"^\s*(?:https?:)?//")
REMOTE_IN_CSS = re.compile(r"(?:@import|url\()\s*(?:url\()?\s*['\"]?\s*(?:https?:)?//[^)\s;]*")
REMOTE_IN_JS = re.compile(r"(?:\bfetch|\bimport|\bopen|\bsrc\s*=|\bhref\s*=)\s*\(?\s*['\"`](?:https?:)?//[^'\"`]*")


class Page(HTMLParser):
    """What a page loads from elsewhere, and the texts of its styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []
        self.css: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        loads = set(LOADED)
        if tag == "link" and LOADING_RELATIONS & set(said.get("rel", "").split()):
            loads.add("href")
        if tag in {"use", "image"}:
            loads.add("href")
        self.remote += [said[name] for name in loads & said.keys() if REMOTE.match(said[name])]
        self.css.append(said.get("style", ""))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.css.append(data)
        if self._inside == "script":
            self.scripts.append(data)


def remote_of(path: Path) -> Iterator[str]:
    """What a file of a site has a browser load from elsewhere."""
    text = path.read_text("utf-8")
    page = Page()
    if path.suffix in {".html", ".svg"}:
        page.feed(text)
    yield from page.remote
    for css in [text] if path.suffix == ".css" else page.css:
        yield from REMOTE_IN_CSS.findall(css)
    for script in [text] if path.suffix == ".js" else page.scripts:
        yield from REMOTE_IN_JS.findall(script)


@pytest.fixture
def site() -> Path:
    if not (SITE / ".built").exists():
        pytest.skip("`make docs` has not been run here: its tool is no dependency of the tests")
    return SITE


def test_what_makes_the_site_is_pinned_by_hashes_names_no_address_and_is_no_part_of_the_product() -> None:
    lock = (ROOT / "requirements-docs.lock").read_text("utf-8")
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    names = {entry.partition("==")[0] for entry in entries}
    assert {"furo", "myst-parser", "sphinx"} <= names
    for other in ("requirements.lock", "requirements-server.lock"):
        assert not re.findall(r"^(?:furo|myst-parser|sphinx)==", (ROOT / other).read_text("utf-8"), re.MULTILINE)


def test_nothing_of_the_site_is_loaded_from_elsewhere(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]
    assert len([path for path in files if path.suffix == ".html"]) > 40
    assert {str(path.relative_to(site)): found for path in files if (found := list(remote_of(path)))} == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", '<script src="https://cdn.example.com/x.js"></script>'),
        ("a.html", '<link rel="preload stylesheet" href="//cdn.example.com/x.css">'),
        ("a.html", "<style>@import 'https://fonts.example.com/css';</style>"),
        ("a.html", '<p style="background: url(http://example.com/x.png)">'),
        ("a.html", '<script>fetch("https://example.com/hello")</script>'),
        ("a.css", '@font-face { src: url("https://fonts.example.com/x.woff2") }'),
        ("a.js", "const s = document.createElement('script'); s.src = 'https://example.com/x.js';"),
        ("a.svg", '<svg><image href="https://example.com/x.png"/></svg>'),
    ],
)
def test_what_a_browser_would_load_from_elsewhere_is_found(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert len(list(remote_of(tmp_path / name))) == 1


def test_a_link_that_a_reader_follows_is_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<link rel="canonical" href="https://example.com"><a href="https://example.com">')
    assert list(remote_of(tmp_path / "a.html")) == []


def test_the_search_finds_words_of_both_languages(site: Path) -> None:
    """As its page does: by stems, in an index that it loads as a script, which works from a disk too."""
    index = json.loads((site / "searchindex.js").read_text("utf-8").removeprefix("Search.setIndex(").removesuffix(")"))
    assert "searchindex.js" in (site / "search.html").read_text("utf-8")
    for word, page in (("noevict", "settings"), ("idempot", "errors"), ("게이트웨이의", "settings.ko")):
        found = index["terms"].get(word, [])
        assert page in {index["docnames"][place] for place in ([found] if isinstance(found, int) else found)}, word


def test_what_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    if not (ROOT / ".docs" / "ready").exists():
        pytest.skip("`make docs` has not been run here: its tool is no dependency of the tests")
    pages = {
        "index": "# Index\n\n## Pages\n\n- [Other](other.md)\n",
        "other": "# Other\n\n[a](nowhere.md) [b](index.md#nothing) [c](#nothing) ![d](img/none.svg)\n",
        "forgotten": "# In no list\n",
    }
    for name, text in pages.items():
        (tmp_path / f"{name}.md").write_text(text)
    words = ["--quiet", "--fail-on-warning", "--conf-dir", str(ROOT / "tools" / "docs")]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(tmp_path), str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".docs")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert built.returncode == 1
    for what in ("'nowhere.md'", "in doc 'index': 'nothing'", "not found: 'nothing'", "none.svg", "forgotten.md"):
        assert what in built.stderr
    assert built.stderr.count("WARNING") == 5
