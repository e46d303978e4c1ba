"""Milvus behind TLS with a certificate of one's own: a real server behind a proxy that adds the TLS."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pymilvus import MilvusClient

from adapters.milvus.vector_index import MilvusVectorIndex
from builders.tls_proxy import Authority, TlsProxy, an_authority, tls_proxy
from contracts.vector_index import DIMENSION, EVERYTHING, add, entry, ids, vectors
from domain.errors import UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel

KEY = IndexKey(model=EmbeddingModel(name="test", dimension=DIMENSION), rendering_version=3)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path / "ours")


@pytest.fixture
def proxy(milvus_uri: str, authority: Authority) -> Iterator[TlsProxy]:
    with tls_proxy(milvus_uri, authority) as proxy:
        yield proxy


@pytest.fixture
def alias(milvus_uri: str) -> Iterator[str]:
    alias = f"test_{uuid4().hex[:12]}"
    yield alias
    client = MilvusClient(milvus_uri, timeout=10, dedicated=True)
    for name in client.list_collections():
        if name.startswith(alias):
            client.drop_collection(name)
    client.close()


@pytest.fixture
async def index(proxy: TlsProxy, authority: Authority, alias: str) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(proxy.uri, alias=alias, key=KEY, ca_file=str(authority.certificate))
    yield index
    await index.aclose()


async def test_both_clients_speak_tls_to_a_server_whose_authority_is_named(
    index: MilvusVectorIndex, proxy: TlsProxy
) -> None:
    await index.prepare()  # by the blocking client
    assert proxy.connections == 1
    await add(index, entry())
    assert ids(await index.dense(vectors([1]), EVERYTHING, limit=5)) == ["D1.g1.0"]
    assert proxy.connections == 2


@pytest.mark.parametrize("trusts", ["gRPC's own", "somebody else"])
async def test_a_certificate_of_an_authority_that_is_not_trusted_is_no_connection_and_says_what_may_help(
    proxy: TlsProxy, alias: str, tmp_path: Path, trusts: str
) -> None:
    ca_file = "" if trusts == "gRPC's own" else str(an_authority(tmp_path / "theirs").certificate)
    index = MilvusVectorIndex(proxy.uri, alias=alias, key=KEY, ca_file=ca_file, timeout_s=2)
    for call in (index.prepare(), index.ping()):
        with pytest.raises(UnavailableError, match="see MILVUS_CA_FILE"):
            await call
    assert proxy.connections == 0
    await index.aclose()


async def test_plain_text_to_a_server_that_wants_tls_is_no_connection(proxy: TlsProxy, alias: str) -> None:
    index = MilvusVectorIndex(proxy.uri.replace("https:", "http:"), alias=alias, key=KEY, timeout_s=2)
    with pytest.raises(UnavailableError, match="no connection"):
        await index.ping()
    await index.aclose()
