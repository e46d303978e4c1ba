"""The design that is measured against: one file after the other, one row after the other, one document after the other.

It is written as plainly as such services are: every CSV is put by itself, every row has a commit of its own, the
template goes through pandas row by row, and each document is one text, one call of the embedder and one insert. It is
given the product's own blob store, embedder, database and Milvus, so that what is compared is the order of the work.
Its time is measured inside the process: it pays for no HTTP.
"""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import numpy as np
import pandas as pd
from pymilvus import AsyncMilvusClient, MilvusClient

from adapters.blobs.local_disk import LocalDiskBlobStore
from adapters.milvus.connection import CHANNEL_OPTIONS
from delays import DelayedBlobs, DelayedEmbedder, InstantEmbedder, Switchboard
from uploads import MadeUpload

_COLLECTION = "sequential"
_LONGEST_TEXT = 60_000
_TABLES = """
CREATE SCHEMA IF NOT EXISTS sequential;
CREATE TABLE IF NOT EXISTS sequential.programs (pgm_id text PRIMARY KEY, created timestamptz DEFAULT now());
CREATE TABLE IF NOT EXISTS sequential.documents (
    document_id text PRIMARY KEY, pgm_id text, name text, path text, size bigint, status text);
CREATE TABLE IF NOT EXISTS sequential.templates (
    pgm_id text, folder_id text, folder_name text, sub_folder_name text, logic_id text, logic_name text,
    PRIMARY KEY (pgm_id, logic_id));
"""
_programs = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialService:
    """`upload` is what a caller waits for in the deferred design, `upload` and then `index` in the sequential one."""

    blobs: DelayedBlobs
    embedder: DelayedEmbedder
    database: asyncpg.Pool
    milvus: AsyncMilvusClient

    async def upload(self, upload: MadeUpload) -> str:
        """Check, store file by file, insert row by row, read the template."""
        csvs = _checked(upload)
        pgm_id = f"SEQ_{next(_programs)}"
        await self.database.execute("INSERT INTO sequential.programs VALUES ($1)", pgm_id)
        for name, content in csvs:
            await self._store(pgm_id, name, content)
        for name, content in (("template.xlsx", upload.template), ("comment.csv", upload.comments)):
            await self._store(pgm_id, name, content)
        await self._read_template(pgm_id, upload.template)
        return pgm_id

    async def index(self, pgm_id: str, upload: MadeUpload) -> None:
        """One text, one vector, one insert and one status for each document."""
        for name, content in upload.csvs:
            frame = pd.read_csv(io.BytesIO(content), encoding="utf-16", sep="\t", skiprows=2, dtype=str)
            text = frame.fillna("").to_string()
            vectors = await self.embedder.embed([text])
            row = {
                "id": f"{pgm_id}/{name}",
                "text": text.encode()[:_LONGEST_TEXT].decode(errors="ignore"),
                "vector": np.frombuffer(vectors.buffer, np.float32).tolist(),
            }
            await self.milvus.insert(_COLLECTION, [row])
            await self.database.execute(
                "UPDATE sequential.documents SET status = 'indexed' WHERE document_id = $1", f"{pgm_id}/{name}"
            )

    async def _store(self, pgm_id: str, name: str, content: bytes) -> None:
        path = f"sequential/{pgm_id}/{name}"
        await self.blobs.put(path, _once(content))
        await self.database.execute(
            "INSERT INTO sequential.documents VALUES ($1, $2, $3, $4, $5, 'pending')",
            *(f"{pgm_id}/{name}", pgm_id, name, path, len(content)),
        )

    async def _read_template(self, pgm_id: str, template: bytes) -> None:
        for _, row in pd.read_excel(io.BytesIO(template), dtype=str).iterrows():
            await self.database.execute(
                "INSERT INTO sequential.templates VALUES ($1, $2, $3, $4, $5, $6)", *(pgm_id, *row)
            )


async def sequential_service(
    folder: Path, switchboard: Switchboard, database: asyncpg.Pool, milvus_uri: str
) -> SequentialService:
    """One with tables and a collection of its own beside those of the product."""
    await database.execute(_TABLES)
    admin = MilvusClient(milvus_uri, grpc_options=dict(CHANNEL_OPTIONS))
    admin.create_collection(
        _COLLECTION, dimension=512, id_type="string", max_length=200, metric_type="COSINE", auto_id=False
    )
    admin.close()
    return SequentialService(
        blobs=DelayedBlobs(LocalDiskBlobStore(folder / "sequential"), switchboard),
        embedder=DelayedEmbedder(InstantEmbedder(), switchboard),
        database=database,
        milvus=AsyncMilvusClient(milvus_uri, grpc_options=dict(CHANNEL_OPTIONS)),
    )


def _checked(upload: MadeUpload) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(upload.archive)) as archive:
        if archive.testzip() is not None:
            raise ValueError("the archive is damaged")
        csvs = [(info.filename, archive.read(info)) for info in archive.infolist()]
    named = set(pd.read_excel(io.BytesIO(upload.template), dtype=str)["Logic ID"])
    for name, content in csvs:
        content.decode("utf-16")
        if Path(name).stem not in named:
            raise ValueError(f"{name} is not in the template")
    return csvs


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
