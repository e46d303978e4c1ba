"""How Sphinx makes the site of docs/: from Markdown as it stands, and of nothing that a closed network cannot load.

The pages know no toctree, so that they read well where no Sphinx is: it is made here of the lists in the pages that
list others.
"""

import re
from collections.abc import Callable, Iterator
from posixpath import normpath
from typing import Protocol

project = "Ladderbase"
html_title = project
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "none"
nitpicky = True
smartquotes = False

html_theme = "furo"
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
html_permalinks_icon = "#"
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False

_LISTS = {"index", "adr/README"}
_ITEM = re.compile(r"^(?:-|\d+\.) .*$", re.MULTILINE)
_LEAVES = re.compile(r"\]\((?P<target>\.\./[\w./-]+\.md)\)")
_LINK = re.compile(r"\[([^\]]+)\]\(([\w./-]+)\.md\)")


class _Sphinx(Protocol):
    def connect(self, event: str, callback: Callable[..., None]) -> int: ...


def setup(app: _Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", _prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _prepare(_app: object, docname: str, source: list[str]) -> None:
    source[0] = _LEAVES.sub(lambda link: _as_file(link, docname), source[0])
    if docname in _LISTS:
        source[0] += "".join(_contents(source[0]))


def _as_file(link: re.Match[str], docname: str) -> str:
    """A link to Markdown that is no page of the site, as one to a file: it comes along as it is."""
    is_page = not normpath(f"{docname}/../{link['target']}").startswith("..")
    return link[0] if is_page else f"](path:{link['target']})"


def _contents(page: str) -> Iterator[str]:
    """A hidden toctree for each section whose items link to pages, under its heading and with the links' texts."""
    for section in re.split(r"^## ", page, flags=re.MULTILINE):
        linked = [link for item in _ITEM.findall(section) for link in _LINK.findall(item)]
        if linked:
            heading = section.partition("\n")[0]
            caption = "" if heading.startswith("#") else f":caption: {heading}\n"
            entries = "\n".join(f"{title} <{target}>" for title, target in linked)
            yield f"\n\n```{{toctree}}\n:hidden:\n{caption}\n{entries}\n```\n"
