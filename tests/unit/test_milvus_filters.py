"""No value can leave the literal that it is quoted into, and no text outgrows its field."""

import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.milvus.filters import before_documents, of_documents, quoted, within
from adapters.milvus.texts import ID_BYTES, LEXICAL_BYTES, clipped_id, clipped_tokens
from domain.document import DocumentRef, DocumentType
from domain.search import SearchScope

# A literal as the server's grammar has it: no bare quote, backslash or line end inside.
_LITERAL = re.compile(r'"((?:[^"\\\r\n]|\\["\\nrt])*)"')
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n", r"\r": "\r", r"\t": "\t"}

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet='"\\\n\r\t a=or')


def unquoted(literal: str) -> str:
    match = _LITERAL.fullmatch(literal)
    assert match
    return re.sub(r"\\.", lambda escape: _UNESCAPED[escape.group()], match[1])


@given(texts)
def test_a_quoted_value_is_one_literal_and_means_the_value(value: str) -> None:
    assert unquoted(quoted(value)) == value


@given(pgm_id=texts, folder_id=texts)
def test_a_scope_is_its_literals_and_nothing_more(pgm_id: str, folder_id: str) -> None:
    expression = within(SearchScope(pgm_id=pgm_id, folder_id=folder_id, document_type=DocumentType.TEMPLATE))
    skeleton = _LITERAL.sub("?", expression)
    assert skeleton == "pgm_id == ? and folder_id == ? and document_type == ?"
    assert [unquoted(match.group()) for match in _LITERAL.finditer(expression)] == [
        clipped_id(pgm_id),
        clipped_id(folder_id),
        "PGM_TEMPLATE_FILE",
    ]


@given(st.dictionaries(st.integers(0, 2**63 - 1), st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=3))
def test_a_filter_of_documents_is_its_literals_and_nothing_more(names: dict[int, list[str]]) -> None:
    expression = of_documents(
        [DocumentRef(document_id=name, generation=number) for number, group in names.items() for name in group]
    )
    skeleton = _LITERAL.sub("?", expression)
    assert skeleton == " or ".join(
        f"(document_id in [{', '.join('?' * len(group))}] and generation == {number})"
        for number, group in names.items()
    )
    assert [unquoted(match.group()) for match in _LITERAL.finditer(expression)] == list(chain(*names.values()))


def test_former_generations_are_those_before_each_document_s_own() -> None:
    refs = [DocumentRef(document_id=name, generation=number) for name, number in (("a", 2), ("b", 2), ("c", 3))]
    assert before_documents(refs) == (
        '(document_id in ["a", "b"] and generation < 2) or (document_id in ["c"] and generation < 3)'
    )


def test_no_scope_is_no_filter() -> None:
    assert within(SearchScope()) == ""


def test_what_is_no_unicode_text_is_refused() -> None:
    with pytest.raises(ValueError, match="Unicode"):
        quoted("\ud800")


@given(texts)
def test_an_id_keeps_its_beginning(value: str) -> None:
    long = value * 60
    assert long.startswith(clipped_id(long))
    assert len(clipped_id(long).encode()) <= ID_BYTES
    assert clipped_id(value[:200]) == value[:200]


@given(st.lists(st.sampled_from(["m1234", "컨베", "é", "x" * 3_000]), max_size=50))
def test_tokens_that_do_not_fit_are_left_out_whole(tokens: list[str]) -> None:
    clipped = clipped_tokens(" ".join(tokens))
    kept = clipped.split()
    assert len(clipped.encode()) <= LEXICAL_BYTES
    assert kept == tokens[: len(kept)]
    left_out = tokens[len(kept) :]
    assert not left_out or len(" ".join([*kept, left_out[0]]).encode()) > LEXICAL_BYTES


def test_a_single_endless_token_leaves_nothing() -> None:
    assert clipped_tokens("가" * 30_000) == ""
