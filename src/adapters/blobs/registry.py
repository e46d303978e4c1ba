"""The blob stores by the name that STORAGE_TYPE gives them. A new one is a module and a line here."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from adapters.blobs import local_disk, s3
from adapters.blobs.options import StorageOptions
from domain.errors import MisconfiguredError
from domain.ports.blob_store import BlobStore

BLOB_STORES: Mapping[str, Callable[[StorageOptions], AbstractAsyncContextManager[BlobStore]]] = {
    "local": local_disk.opened,
    "s3": s3.opened,
}


def blob_store_named(name: str, options: StorageOptions) -> AbstractAsyncContextManager[BlobStore]:
    """Open the blob store of that name. Raises MisconfiguredError for a name that nobody has."""
    if name not in BLOB_STORES:
        raise MisconfiguredError(f"the setting STORAGE_TYPE is not one of {', '.join(sorted(BLOB_STORES))}")
    return BLOB_STORES[name](options)
