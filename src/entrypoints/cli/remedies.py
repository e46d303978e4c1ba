"""What to do about each dependency that fails."""

from collections.abc import Mapping

_REMEDIES: Mapping[str, str] = {
    "settings": "Set it right; docs/settings.md has every setting, .env.example all of them with their defaults.",
    "postgres": "Is it up, and does DATABASE_URL name it? If its schema is old, run `ladderbase migrate`.",
    "queue": "Is Redis up, and does REDIS_URL name it? Its maxmemory-policy must be noeviction.",
    "worker": "Start one: `python -m entrypoints.worker`, with the settings of the API.",
    "milvus": "Is it up, of version 2.5 or newer, and do MILVUS_URI, MILVUS_TOKEN and MILVUS_DATABASE name it? A worker"
    " makes its collection; one that is of another model is built anew by `ladderbase reindex --all`.",
    "vector index": "A worker builds it: wait, and see how far it is with `ladderbase status`.",
    "embedder": "Does it answer, and do EMBEDDING_MODEL, EMBEDDING_BASE_URL, its key and MILVUS_EMBEDDING_DIM agree?",
    "blob store": "Is it up, and may it be written to, read and deleted from? For s3: the bucket, its keys and their"
    " rights (docs/settings.md); for local: the folder STORAGE_LOCAL_ROOT and its owner.",
    "scratch disk": "Is there space, and may SCRATCH_DIR be written to?",
}
_LIMITED: Mapping[str, str] = {
    "postgres": "Set it to on in postgresql.conf, unless what was uploaded may be lost.",
    "milvus": "Searches by token need Milvus 2.5 or newer.",
}


def remedy_for(name: str, state: str) -> str:
    """What an operator does about it; nothing where nobody knows."""
    return (_LIMITED if state == "limited" else _REMEDIES).get(name, "")
