"""Bad inputs of each kind, refused in Korean: the same codes, and no more of our inside than in English."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bad_inputs.target import Sent, Target, a_request, ladder, question, upload
from builders.archives import Entry, a_zip
from builders.forms import a_form, part
from builders.workbooks import a_template

HANGUL = re.compile("[가-힣]")
HOSTILE = "{what} <b>\u202e모터{0.__class__}"
SENT: Mapping[str, tuple[int, Sent]] = {
    "an empty file": (3, upload(b"")),
    "a form that is never closed": (8, a_request(a_form(part("pgm_name", "x"))[:-8])),
    "a file without a name": (14, upload(zip_name="..")),
    "an archive that breaks off": (26, upload(a_zip(Entry(name=b"0000_11.csv", content=b"1"))[:-30])),
    "an archive without documents": (28, upload(a_zip(Entry(name=b"a.pdf", content=b"1")))),
    "an entry above its folder": (29, upload(a_zip(Entry(name=b"../0000_11.csv", content=b"1")))),
    "a broken workbook": (81, upload(template=a_template("0000_11")[:-200])),
    "a ladder that is none": (90, ladder(b"a,b\r\n1,2\r\n")),
    "an empty body": (96, question("")),
    "deep nesting": (97, question("[" * 60_000)),
    "a hostile field": (103, question(f'{{"query": "M1", "{HOSTILE}": 1}}')),
    "a page that is none": (104, Sent(method="GET", path="/v1/programs?limit=0")),
}


@pytest.mark.parametrize("kind", SENT)
def test_a_refusal_in_korean_tells_no_more_than_one_in_english(target: Target, kind: str) -> None:
    case, sent = SENT[kind]
    english = target.refuses(case, sent)
    korean = target.refuses(case, replace(sent, headers={**sent.headers, "Accept-Language": "ko"}))
    places = [
        [(each["section"], each["code"], each["field"], each["file"], each["row"]) for each in body["findings"]]
        for body in (english, korean)
    ]
    assert (korean["code"], korean["status"], places[1]) == (english["code"], english["status"], places[0])
    told = [korean["title"], korean["detail"]]
    told += [text for each in korean["findings"] for text in (each["message"], each["hint"])]
    assert [text for text in told if not HANGUL.search(text)] == []
