"""The row about searches: eight clients at 10,000 rungs, against the two bare searches in Milvus that one needs."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
from pymilvus import AsyncMilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from adapters.milvus.rows import OUTPUT_FIELDS
from adapters.milvus.schema import search_parameters
from domain.ranking import CANDIDATES_PER_LANE, Question
from figures import Row, percentile, sample
from product import Product
from sequential import SequentialService
from uploads import make_upload

_CLIENTS = 8
_QUERIES = (
    "컨베이어 상승 완료",
    "M101",
    "clamp closed",
    "용접 지그 인터록",
    "torque reached",
    "X1F",
    "노즐 하강 지령",
    "자동 조건",
)
_ROUNDS = 5
_PER_CLIENT = 16


async def rows(product: Product, _plain: SequentialService) -> AsyncIterator[Row]:
    """The clients of both sides are in this process."""
    await product.empty()
    await product.until_indexed(await product.register(make_upload(200)))
    milvus = AsyncMilvusClient(product.milvus_uri, grpc_options=dict(CHANNEL_OPTIONS))
    (collection,) = [name for name in await milvus.list_collections() if name.startswith("ladderbase")]
    for query in _QUERIES:  # Milvus Lite makes its lexical index at the first search
        await _two_searches(milvus, collection, query)
        await product.search(query)
    ours, bare = [], []
    for _ in range(_ROUNDS):
        ours.append(await _p95_ms(product.search))
        bare.append(await _p95_ms(lambda query: _two_searches(milvus, collection, query)))
    await milvus.close()
    yield Row(
        name="search at 10,000 rungs, 8 clients: p95",
        unit="ms",
        measured=sample(ours),
        against="two bare searches",
        baseline=sample(bare),
        at_most=1.3,
        note="over HTTP, with the embedding of the query and the look at what is visible",
    )
    await product.empty()


async def _p95_ms(search: Callable[[str], Awaitable[object]]) -> float:
    times_ms: list[float] = []

    async def client(number: int) -> None:
        for turn in range(_PER_CLIENT):
            started = time.perf_counter()
            await search(_QUERIES[(number + turn) % len(_QUERIES)])
            times_ms.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
    return percentile(times_ms, 0.95)


async def _two_searches(milvus: AsyncMilvusClient, collection: str, query: str) -> None:
    vector = np.random.default_rng(len(query)).normal(size=512).astype(np.float32)
    lanes = {"dense": vector.tolist(), "lexical": " ".join(Question.of(query).tokens)}
    await asyncio.gather(
        *(
            milvus.search(
                collection,
                data=[asked],
                anns_field=field,
                limit=CANDIDATES_PER_LANE,
                output_fields=list(OUTPUT_FIELDS),
                search_params=search_parameters(field, CANDIDATES_PER_LANE),
            )
            for field, asked in lanes.items()
        )
    )
