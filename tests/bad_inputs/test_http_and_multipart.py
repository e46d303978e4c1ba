"""Cases 1 to 25: requests that break the rules of HTTP, of forms and of file names."""

import time
import unicodedata
from collections.abc import Iterator

import pytest

from bad_inputs.target import (
    GOOD_COMMENTS,
    GOOD_LADDER,
    GOOD_TEMPLATE,
    GOOD_ZIP,
    MEBIBYTE,
    Sent,
    Target,
    a_request,
    upload,
)
from builders.archives import UTF8, Entry, a_zip
from builders.forms import CONTENT_TYPE, a_form, part
from builders.workbooks import a_template

ZIP = part("pgm_ladder_zip_file", GOOD_ZIP, "ladder.zip")
TEMPLATE = part("pgm_template_file", GOOD_TEMPLATE, "template.xlsx")
GOOD = a_form(ZIP, TEMPLATE)


def test_001_a_form_without_a_file(target: Target) -> None:
    target.refuses(1, a_request(a_form()))
    target.refuses(1, a_request(a_form(ZIP)))


def test_002_two_files_where_one_is_due(target: Target) -> None:
    target.refuses(2, a_request(a_form(ZIP, ZIP, TEMPLATE)))


def test_003_an_empty_file(target: Target) -> None:
    target.refuses(3, upload(b""))
    target.refuses(3, upload(template=b""))
    target.refuses(3, upload(comments=b""))


def test_004_a_length_over_the_limit_is_refused_before_the_body(target: Target) -> None:
    target.refuses(4, Sent(raw=target.raw_head(101 * MEBIBYTE)))
    target.refuses(4, Sent(raw=target.raw_head("9" * 19)))


def test_005_a_body_without_a_length_is_cut_at_the_limit(target: Target) -> None:
    def pieces() -> Iterator[bytes]:
        yield part("pgm_ladder_zip_file", b"", "ladder.zip")[:-2]
        for _ in range(33):
            yield bytes(MEBIBYTE)

    target.refuses(5, Sent(body=pieces(), headers={"Content-Type": CONTENT_TYPE}))


def test_006_a_length_that_is_not_the_bodys(target: Target) -> None:
    target.drops(6, target.raw_head(len(GOOD) + 10) + GOOD)
    target.refuses(6, Sent(raw=target.raw_head(len(GOOD) - 10) + GOOD))
    target.refuses(6, Sent(raw=target.raw_head("-1") + GOOD))


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_007_no_boundary(target: Target, content_type: str) -> None:
    target.refuses(7, Sent(body=GOOD, headers={"Content-Type": content_type}))


def test_008_a_boundary_that_is_never_closed(target: Target) -> None:
    target.refuses(8, a_request(GOOD.removesuffix(b"--\r\n")))
    target.refuses(8, a_request(GOOD[: len(GOOD) // 2]))


def test_009_a_boundary_that_is_none(target: Target) -> None:
    for boundary in ("b" * 10_000, "b%0D%0Ab"):
        sent = Sent(body=GOOD, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
        target.refuses(9, sent, "multipart_malformed")
    broken = target.raw_head(len(GOOD), 'multipart/form-data; boundary="b\r\nb"') + GOOD
    target.refuses(9, Sent(raw=broken), "request_invalid")


def test_010_ten_thousand_fields(target: Target) -> None:
    target.refuses(10, a_request(a_form(*(part(f"f{number}", "x") for number in range(10_000)))))


def test_011_a_field_of_fifty_megabytes(target: Target) -> None:
    target.refuses(11, a_request(a_form(part("notes", bytes(50 * MEBIBYTE)), ZIP, TEMPLATE)), "field_too_large")
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    target.refuses(11, Sent(body=b"notes=" + b"x" * (50 * MEBIBYTE), headers=urlencoded), "media_type_unsupported")


def test_012_part_headers_without_end(target: Target) -> None:
    target.refuses(12, a_request(a_form(part("notes", "x", headers="\r\nX-A: b" * 5_000), ZIP, TEMPLATE)))
    target.refuses(12, a_request(a_form(part("notes", "x", headers="\r\nX-A: " + "b" * MEBIBYTE), ZIP, TEMPLATE)))


@pytest.mark.parametrize("preamble", [b"\r\n", b"--"])
def test_013_a_preamble_of_ten_megabytes_costs_no_time(target: Target, preamble: bytes) -> None:
    sent = a_request(preamble * (5 * MEBIBYTE) + GOOD)
    target.refuses(13, sent)
    assert target.send(sent)[1].cpu_s < 0.5


@pytest.mark.parametrize("name", [None, "", "...", ". .", "가" * 100 + ".zip", "a" * 10_240])
def test_014_a_file_without_a_usable_name(target: Target, name: str | None) -> None:
    target.refuses(14, a_request(a_form(part("pgm_ladder_zip_file", GOOD_ZIP, name), TEMPLATE)))


@pytest.mark.parametrize("name", ["../../etc/passwd.zip", "C:\\\\x.zip", "/abs/x.zip"])
def test_015_a_path_as_file_name_is_no_path(target: Target, name: str) -> None:
    registered = target.accepts(15, upload(zip_name=name))
    shown = registered["documents"][0]["document_name"]
    assert shown == name.replace("\\", "/").split("/")[-1]


@pytest.mark.parametrize("name", ["a\0.zip", "a%0D%0AX: y.zip", "a\x1b[2J.zip"])
def test_015_a_file_name_with_control_characters_is_none(target: Target, name: str) -> None:
    target.refuses(15, upload(zip_name=name))


def test_016_two_file_names_that_disagree(target: Target) -> None:
    two = part("pgm_ladder_zip_file", GOOD_ZIP, "a.zip", "; filename*=UTF-8''b.zip")
    target.refuses(16, a_request(a_form(two, TEMPLATE)))


def test_017_a_korean_name_from_a_mac(target: Target) -> None:
    name = unicodedata.normalize("NFD", "컨베이어.csv")
    archive = a_zip(Entry(name=name.encode(), content=GOOD_LADDER, flags=UTF8))
    registered = target.accepts(
        17,
        upload(archive, a_template("컨베이어"), zip_name=unicodedata.normalize("NFD", "라인.zip")),
    )
    assert {"라인.zip", "컨베이어.csv"} <= {each["document_name"] for each in registered["documents"]}


@pytest.mark.parametrize("name", ["cod\u202egnp.zip", "cod\u202egnp.exe", "a\u200b.zip", "a\u2066.zip"])
def test_018_a_name_that_shows_something_else(target: Target, name: str) -> None:
    target.refuses(18, upload(zip_name=name))


@pytest.mark.parametrize("declared", ["image/png", "application/pdf", "text/html", "video/mp4"])
def test_019_a_declared_type_that_cannot_be_the_files(target: Target, declared: str) -> None:
    sent = part("pgm_ladder_zip_file", GOOD_ZIP, "ladder.zip", headers=f"\r\nContent-Type: {declared}")
    target.refuses(19, a_request(a_form(sent, TEMPLATE)))


def test_020_content_that_is_not_what_the_name_says(target: Target) -> None:
    target.refuses(20, upload(b"%PDF-1.7\n" + bytes(200)))
    target.refuses(20, upload(template=a_zip(Entry(name=b"a.csv", content=b"x"))))
    target.refuses(20, upload(comments=GOOD_ZIP))


def test_021_a_compressed_body(target: Target) -> None:
    target.refuses(21, a_request(GOOD, **{"Content-Encoding": "gzip"}))


def test_023_a_client_that_goes_away_at_the_end(target: Target) -> None:
    target.drops(23, target.raw_head(len(GOOD)) + GOOD[: len(GOOD) * 99 // 100])


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer lb_" + "0" * 12 + "_" + "0" * 64, "Basic a2ltOng="])
def test_024_no_key_or_a_wrong_one(target: Target, authorization: str) -> None:
    sent = upload()
    target.refuses(24, Sent(body=sent.body, headers={**sent.headers, "Authorization": authorization}))
    asked = Sent(method="GET", path="/v1/programs/PGM_1", headers={"Authorization": authorization})
    target.refuses(24, asked)


def test_025_the_same_key_for_another_file(target: Target) -> None:
    key = {"Idempotency-Key": f"case-25-{time.time_ns()}"}
    first = upload()
    target.accepts(25, Sent(body=first.body, headers={**first.headers, **key}))
    other = upload(comments=GOOD_COMMENTS)
    target.refuses(25, Sent(body=other.body, headers={**other.headers, **key}))
