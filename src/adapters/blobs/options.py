"""What the settings say about where blobs are kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


async def never_used() -> bool:
    """What a record says that knows of nothing."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOptions:
    """Plain values; blank texts are unset. Each store takes those that concern it.

    `is_in_use` asks the record whether something must be in the store already; it raises UnavailableError.
    `timeout_s` is what a call may be silent for. Without both keys, the standard AWS chain is asked for credentials.
    """

    local_root: str = ""
    bucket: str = ""
    endpoint_url: str = ""
    use_path_style: bool = False
    server_side_encryption: str = "none"
    kms_key_id: str = ""
    checksum_mode: str = "when_required"
    max_connections: int = 32
    connect_timeout_s: float = 3.0
    timeout_s: float = 30.0
    region: str = "us-east-1"
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    is_in_use: Callable[[], Awaitable[bool]] = field(default=never_used, repr=False)
