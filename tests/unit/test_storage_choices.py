"""What STORAGE_TYPE may say."""

import pytest

from adapters.blobs.options import StorageOptions
from adapters.blobs.registry import BLOB_STORES, blob_store_named
from domain.errors import MisconfiguredError


def test_an_unknown_storage_is_a_misconfiguration_that_names_the_known_ones() -> None:
    with pytest.raises(MisconfiguredError, match=r"STORAGE_TYPE is not one of local") as raised:
        blob_store_named("s4-of-mine", StorageOptions())
    assert "s4-of-mine" not in str(raised.value)
    assert "local" in BLOB_STORES
