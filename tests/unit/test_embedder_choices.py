"""What the settings may say about an embedder, and what they must."""

import pytest

from adapters.embedding.cohere import COHERE
from adapters.embedding.huggingface import HUGGINGFACE
from adapters.embedding.openai import OPENAI
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.provider import Provider
from adapters.embedding.registry import EMBEDDERS, embedder_named
from domain.errors import MisconfiguredError
from domain.ports.embedder import EmbeddingModel
from entrypoints.settings import read_settings

REMOTE = ("openai", "huggingface", "cohere")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def refusal(name: str, options: EmbeddingOptions) -> str:
    with pytest.raises(MisconfiguredError) as raised:
        async with embedder_named(name, options):
            pass
    return str(raised.value)


def test_an_unknown_embedder_is_a_misconfiguration_that_names_the_known_ones() -> None:
    with pytest.raises(MisconfiguredError, match=r"EMBEDDING_MODEL is not one of cohere, embedded, .*openai") as raised:
        embedder_named("no such", EmbeddingOptions())
    assert "no such" not in str(raised.value)


def test_the_registry_holds_what_the_documents_promise() -> None:
    assert set(EMBEDDERS) == {"embedded", *REMOTE}


@pytest.mark.parametrize("name", REMOTE)
async def test_the_providers_own_servers_need_a_key(name: str) -> None:
    assert await refusal(name, EmbeddingOptions()) == f"the setting {name.upper()}_API_KEY is missing"


@pytest.mark.parametrize("name", REMOTE)
async def test_a_server_of_one_s_own_needs_the_name_of_the_model_and_no_key(name: str) -> None:
    options = EmbeddingOptions(base_url="http://models.example:8080", dimension=4)
    assert "EMBEDDING_MODEL_NAME is missing" in await refusal(name, options)
    named = EmbeddingOptions(base_url="http://models.example:8080", dimension=4, model_name="mine")
    async with embedder_named(name, named) as embedder:
        assert embedder.model == EmbeddingModel(name=f"{name}:mine", dimension=4)


@pytest.mark.parametrize("name", REMOTE)
async def test_a_dimension_that_nobody_knows_is_a_missing_setting(name: str) -> None:
    options = EmbeddingOptions(api_key="k", model_name="of tomorrow")
    assert "the setting MILVUS_EMBEDDING_DIM is missing" in await refusal(name, options)


@pytest.mark.parametrize(
    ("name", "model_name"),
    [("openai", "text-embedding-ada-002"), ("huggingface", "BAAI/bge-m3"), ("cohere", "embed-multilingual-v3.0")],
)
async def test_a_dimension_that_the_model_cannot_have_is_refused(name: str, model_name: str) -> None:
    options = EmbeddingOptions(api_key="k", model_name=model_name, dimension=333)
    assert "MILVUS_EMBEDDING_DIM is not the dimension of" in await refusal(name, options)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai", EmbeddingModel(name="openai:text-embedding-3-small", dimension=1536)),
        ("huggingface", EmbeddingModel(name="huggingface:BAAI/bge-m3", dimension=1024)),
        ("cohere", EmbeddingModel(name="cohere:embed-v4.0", dimension=1536)),
    ],
)
async def test_a_key_alone_gives_a_model_of_many_languages(name: str, model: EmbeddingModel) -> None:
    async with embedder_named(name, EmbeddingOptions(api_key="k")) as embedder:
        assert embedder.model == model


@pytest.mark.parametrize("address", ["http://", "http://[::1", "ftp://models/v1", "http://host:port"])
async def test_an_address_that_is_none_is_refused_without_showing_it(address: str) -> None:
    told = await refusal("openai", EmbeddingOptions(base_url=address, model_name="m", dimension=4))
    assert told == "the setting EMBEDDING_BASE_URL is no address"


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://host/v1", "http://host/v1/embeddings"),
        ("http://host/v1/", "http://host/v1/embeddings"),
        ("http://host/v1/embeddings", "http://host/v1/embeddings"),
        ("https://host/openai/v1?api-version=preview", "https://host/openai/v1/embeddings?api-version=preview"),
        ("http://host", "http://host/embeddings"),
    ],
)
def test_the_path_is_set_behind_the_base_url_once(base_url: str, url: str) -> None:
    assert str(OPENAI.url(EmbeddingOptions(base_url=base_url), own="", path="/embeddings")) == url


@pytest.mark.parametrize(
    ("provider", "dimension", "asked"),
    [(OPENAI, None, None), (OPENAI, 1536, None), (OPENAI, 512, 512), (COHERE, 256, 256), (HUGGINGFACE, 1024, None)],
)
def test_a_shorter_dimension_is_asked_for_where_the_model_can_shorten(
    provider: Provider, dimension: int | None, asked: int | None
) -> None:
    assert provider.shortened_to(EmbeddingOptions(api_key="k", dimension=dimension)) == asked


async def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://secret@proxy:1")
    told = await refusal("openai", EmbeddingOptions(api_key="k"))
    assert "HTTPS_PROXY" in told
    assert "secret" not in told


def test_the_options_do_not_show_the_key() -> None:
    assert "sk-1" not in repr(EmbeddingOptions(api_key="sk-1"))


def test_a_provider_without_a_setting_of_its_own_asks_for_the_general_key() -> None:
    provider = Provider(name="voyage", default_model="m", dimensions={"m": 4})
    with pytest.raises(MisconfiguredError, match=r"^the setting EMBEDDING_API_KEY is missing$"):
        provider.url(EmbeddingOptions(), own="https://models.example", path="/embed")
    assert provider.key_settings == "EMBEDDING_API_KEY"


@pytest.mark.parametrize("provider", [OPENAI, HUGGINGFACE, COHERE])
def test_a_provider_s_own_key_is_a_setting(provider: Provider) -> None:
    settings = {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x", provider.own_key_setting: "its-own"}
    assert read_settings(settings | {"EMBEDDING_MODEL": provider.name}).embedding_key == "its-own"
