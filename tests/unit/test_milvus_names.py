"""A collection's name says whose it is: which alias, model, dimension, rendering and kind of server."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.milvus.names import MOST_CHARACTERS, CollectionNames
from adapters.milvus.server_kinds import LITE, MILVUS, ServerKind, kind_of
from domain.errors import MisconfiguredError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel

DENSE_ONLY = kind_of("v2.3.5-lite")

aliases = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
# What people call models, and what they might: anything at all, and much of what is nearly legal.
model_names = st.text(min_size=1, max_size=300) | st.text(alphabet="ab1_-./A", min_size=1, max_size=300)
keys = st.builds(
    IndexKey,
    model=st.builds(EmbeddingModel, name=model_names, dimension=st.integers(1, 32_768)),
    rendering_version=st.integers(1, 10_000),
)
kinds = st.sampled_from([MILVUS, LITE, DENSE_ONLY])


def key(name: str = "bge", *, dimension: int = 512, rendering: int = 2) -> IndexKey:
    return IndexKey(model=EmbeddingModel(name=name, dimension=dimension), rendering_version=rendering)


def name_of(alias: str, index_key: IndexKey, kind: ServerKind = MILVUS) -> str:
    return CollectionNames(alias=alias, key=index_key).of(kind)


def test_a_name_is_made_of_alias_model_dimension_and_rendering() -> None:
    assert name_of("plant", key("bge_m3")) == "plant__bge_m3_512_r2"


def test_a_server_without_bm25_has_a_collection_of_its_own() -> None:
    assert name_of("plant", key(), DENSE_ONLY) == "plant__bge_512_r2_dense"
    assert name_of("plant", key(), LITE) == name_of("plant", key(), MILVUS)


@pytest.mark.parametrize(
    "other",
    [key("gte"), key(dimension=1_024), key(rendering=3), key("BGE"), key("bge_"), key("b.ge"), key("b_ge")],
)
def test_another_key_has_another_name(other: IndexKey) -> None:
    assert name_of("plant", other) != name_of("plant", key())


def test_a_model_whose_name_is_illegal_keeps_what_can_be_read_of_it_and_a_hash() -> None:
    assert re.fullmatch(r"plant__baai_bge_m3_[0-9a-f]{8}_512_r2", name_of("plant", key("BAAI/bge-m3")))


def test_models_whose_names_differ_in_illegal_characters_alone_are_kept_apart() -> None:
    names = {name_of("plant", key(name)) for name in ("a/b", "a.b", "a-b", "A/B", "a__b", "a_b", "_a_b", "a b")}
    assert len(names) == 8


def test_a_model_whose_name_has_no_legal_character_is_a_hash_alone() -> None:
    assert re.fullmatch(r"plant__[0-9a-f]{8}_512_r2", name_of("plant", key("모델")))
    assert name_of("plant", key("모델")) != name_of("plant", key("모형"))


def test_half_a_character_in_a_models_name_is_no_error() -> None:
    assert re.fullmatch(r"plant__[0-9a-f]{8}_512_r2", name_of("plant", key("\ud800")))


def test_a_name_that_just_fits_is_kept_and_a_longer_one_ends_in_a_hash() -> None:
    room = MOST_CHARACTERS - len("plant__") - len("_512_r2")
    assert name_of("plant", key("m" * room)) == f"plant__{'m' * room}_512_r2"
    longer = name_of("plant", key("m" * (room + 1)))
    assert re.fullmatch(r"plant__m+_[0-9a-f]{8}_512_r2", longer)
    assert len(longer) == MOST_CHARACTERS
    assert longer != name_of("plant", key("m" * (room + 2)))


@given(alias=aliases, index_key=keys, kind=kinds)
@example(alias="a" * 128, index_key=key("m" * 300, dimension=32_768, rendering=10_000), kind=DENSE_ONLY)
def test_every_name_is_legal_and_stands_behind_its_alias(alias: str, index_key: IndexKey, kind: ServerKind) -> None:
    names = CollectionNames(alias=alias, key=index_key)
    name = names.of(kind)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name)
    assert names.among([name]) == [name]
    assert CollectionNames(alias=alias, key=key()).among([name]) == [name]


@given(alias=aliases, ending=st.from_regex(r"\A[a-z0-9_]{1,20}\Z"), index_key=keys, kind=kinds)
@example(alias="plant", ending="_b", index_key=key(), kind=MILVUS)
@example(alias="plant", ending="__b", index_key=key(), kind=MILVUS)
@example(alias="plant", ending="_", index_key=key(), kind=MILVUS)
@example(alias="plant", ending="__", index_key=key(), kind=MILVUS)
@example(alias="plant", ending="__bge_512_r2", index_key=key(), kind=DENSE_ONLY)
def test_no_alias_takes_the_collections_of_one_that_begins_alike(
    alias: str, ending: str, index_key: IndexKey, kind: ServerKind
) -> None:
    longer = f"{alias}{ending}"[:128]
    if longer == alias:
        return
    assert CollectionNames(alias=alias, key=index_key).among([name_of(longer, index_key, kind)]) == []
    assert CollectionNames(alias=longer, key=index_key).among([name_of(alias, index_key, kind)]) == []


def test_the_collections_of_every_key_and_kind_are_among_ours_in_their_order() -> None:
    ours = [name_of("plant", each, kind) for each in (key("b"), key("a"), key("모델")) for kind in (MILVUS, DENSE_ONLY)]
    foreign = ["plant", "plant_b", "plant__", "plant__bge", "plant__bge_512", "plant__bge_512_r2_x", "Plant__a_8_r1"]
    assert CollectionNames(alias="plant", key=key()).among([*ours, *foreign]) == sorted(ours)


@pytest.mark.parametrize("alias", ["", "2nd", "pl-ant", "pl ant", "공장", "a.b", "a" * 129, "plant\n", 'x" or "'])
def test_an_alias_that_milvus_refuses_is_a_misconfiguration_that_names_the_setting(alias: str) -> None:
    with pytest.raises(MisconfiguredError, match="MILVUS_COLLECTION_NAME"):
        CollectionNames(alias=alias, key=key())
