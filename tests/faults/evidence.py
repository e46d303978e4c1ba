"""Everything that is there, read through back doors: Postgres, the blobs, Redis and Milvus, without the product."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import redis.asyncio
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS

Row = Mapping[str, Any]
_TABLES = (
    *("programs", "documents", "chunks", "template_rows", "device_comments", "revisions"),
    *("outbox", "uploads", "vector_indexes", "indexed_documents"),
    *("used_documents", "device_uses", "webhooks", "webhook_deliveries"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the evidence is."""

    database_url: str
    redis_url: str
    milvus_uri: str
    alias: str
    blobs: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBytes:
    """A file of the blob store."""

    sha256: str
    content: bytes

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        return len(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What stands where, at one moment. `rows_in_milvus` holds every row of every collection, doubles too."""

    tables: Mapping[str, Sequence[Row]]
    blobs: Mapping[str, StoredBytes]
    redis_types: Mapping[str, str]
    queue: Sequence[str]
    rows_in_milvus: Mapping[str, Sequence[Row]]
    dimension_of: Mapping[str, int] = field(default_factory=dict)

    @property
    def live(self) -> dict[str, Row]:
        """The programs that are not deleted."""
        return {row["pgm_id"]: row for row in self.tables["programs"] if row["deleted_dt"] is None}

    def documents_of(self, pgm_id: str) -> list[Row]:
        """Those of its files, in ordinal order."""
        found = [row for row in self.tables["documents"] if row["pgm_id"] == pgm_id and row["revision"]]
        return sorted(found, key=lambda row: int(row["ordinal"]))

    @property
    def notes(self) -> list[Row]:
        """The further documents of the programs that are not deleted."""
        return [row for row in self.tables["documents"] if row["pgm_id"] in self.live and not row["revision"]]


async def gathered(places: Places) -> Evidence:
    """Read it all."""
    tables, (types, queue), rows = await asyncio.gather(
        _tables(places.database_url), _redis(places.redis_url), asyncio.to_thread(_milvus, places)
    )
    return Evidence(
        tables=tables,
        blobs=await asyncio.to_thread(_blobs, places.blobs),
        redis_types=types,
        queue=queue,
        rows_in_milvus=rows,
    )


async def unfinished(places: Places) -> list[str]:
    """What keeps the product from being quiet: events and deliveries that are not ended, documents, purges."""
    connection = await asyncpg.connect(places.database_url, timeout=5)
    try:
        rows = await connection.fetch(
            "SELECT 'event ' || event_id || ' ' || kind || ', attempt ' || attempts || ': ' || coalesce(last_error, '')"
            "  AS what FROM outbox WHERE done_at IS NULL AND dead_at IS NULL"
            " UNION ALL SELECT 'document ' || document_id || ' is ' || state FROM documents"
            "  JOIN programs USING (pgm_id) WHERE deleted_dt IS NULL AND state IN ('pending', 'indexing')"
            " UNION ALL SELECT 'purge of ' || pgm_id FROM programs"
            "  WHERE deleted_dt IS NOT NULL AND purged_dt IS NULL"
            " UNION ALL SELECT 'delivery ' || delivery_id || ' ' || kind || ', attempt ' || attempts || ': '"
            "  || coalesce(last_error, '') FROM webhook_deliveries JOIN webhooks USING (webhook_id)"
            "  WHERE done_at IS NULL AND dead_at IS NULL AND disabled_at IS NULL"
            " UNION ALL SELECT 'an index that is not complete' FROM vector_indexes WHERE is_current AND NOT is_complete"
        )
    finally:
        await connection.close(timeout=5)
    return [row["what"] for row in rows]


async def _tables(url: str) -> dict[str, list[Row]]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in _TABLES}
    finally:
        await connection.close(timeout=5)


async def _redis(url: str) -> tuple[dict[str, str], list[str]]:
    async with redis.asyncio.Redis.from_url(url, socket_timeout=5) as client:
        keys = [key async for key in client.scan_iter(count=1_000)]
        types = {key.decode(): (await client.type(key)).decode() for key in keys}
        queue = [job.decode() for job in await client.zrange("ladderbase:queue", 0, -1)]
    return types, queue


def _milvus(places: Places) -> dict[str, list[Row]]:
    client = MilvusClient(places.milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    try:
        ours = [name for name in client.list_collections() if name.startswith(f"{places.alias}__")]
        return {name: _rows(client, name) for name in ours}
    finally:
        client.close()


def _rows(client: MilvusClient, name: str) -> list[Row]:
    client.load_collection(name)
    fields = ["chunk_id", "pgm_id", "document_id", "generation"]
    rows: list[Row] = client.query(name, filter='chunk_id != ""', output_fields=fields, consistency_level="Strong")
    return rows


def _blobs(root: Path) -> dict[str, StoredBytes]:
    objects = root / "objects"
    found = {}
    for path in objects.rglob("*") if objects.is_dir() else ():
        if path.is_file():
            content = path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            found[path.relative_to(objects).as_posix()] = StoredBytes(sha256=sha256, content=content)
    return found


def twice(names: Sequence[str]) -> list[str]:
    """Those that are there more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
