"""One bucket and how it is spoken to: every call bounded in time, every failure one of ours."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aioboto3
from aiobotocore.config import AioConfig
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from adapters.blobs.options import StorageOptions
from adapters.blobs.s3_errors import translated_errors
from adapters.loopback import is_loopback
from domain.errors import MisconfiguredError

SLOWEST_BYTES_PER_S = 64 * 1024
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Bucket:
    """`encryption` goes with whatever makes an object; `content_md5` says whether bodies are sent with their MD5."""

    client: Any
    name: str
    timeout_s: float
    encryption: Mapping[str, Any] = field(default_factory=dict)
    content_md5: bool = True

    async def call(
        self, operation: str, *, missing: str | None = None, size_bytes: int = 0, **arguments: object
    ) -> dict[str, Any]:
        """The answer to one operation of S3, within `timeout_s` and what `size_bytes` need on the slowest line.

        Raises UnavailableError, MisconfiguredError and, with `missing`, NotFoundError for that key.
        """
        deadline_s = self.timeout_s + size_bytes / SLOWEST_BYTES_PER_S
        with translated_errors(operation, missing=missing):
            async with asyncio.timeout(deadline_s):  # the client's own timeouts begin anew with every byte
                answer: dict[str, Any] = await getattr(self.client, operation)(Bucket=self.name, **arguments)
                return answer


@asynccontextmanager
async def opened_bucket(options: StorageOptions) -> AsyncIterator[S3Bucket]:
    """The bucket of the options, over one client that is closed at the end. Raises MisconfiguredError."""
    _check(options)
    try:
        opening = aioboto3.Session().client("s3", **_credentials(options), **_address(options), config=_config(options))
        client = await opening.__aenter__()
    except (BotoCoreError, ValueError) as error:
        raise MisconfiguredError(
            "the client for S3 cannot be made: check S3_ENDPOINT_URL, AWS_REGION and the AWS configuration"
            f" ({type(error).__name__})"
        ) from error
    client.meta.events.register("before-sign.s3.PutObject", _unasked)
    client.meta.events.register("before-sign.s3.DeleteObjects", _with_md5)
    try:
        yield S3Bucket(
            client=client,
            name=options.bucket,
            timeout_s=options.timeout_s,
            encryption=_encryption(options),
            # With a checksum of the client's own the body may be framed, and an MD5 would be of something else.
            content_md5=options.checksum_mode == "when_required",
        )
    finally:
        await opening.__aexit__(None, None, None)


def _unasked(request: AWSRequest, **_: object) -> None:
    """Send the body with its head: the client would first ask whether it may, one more round trip for each put."""
    del request.headers["Expect"]


def _with_md5(request: AWSRequest, **_: object) -> None:
    """Other S3s than AWS's demand the MD5 of a list of keys, for which the client has sent a CRC-32 since 1.36."""
    digest = hashlib.md5(request.body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(digest).decode()


def _check(options: StorageOptions) -> None:
    if not options.bucket:
        raise MisconfiguredError("the setting S3_BUCKET_NAME is missing")
    if options.secret_access_key and not options.access_key_id:
        raise MisconfiguredError("the setting AWS_ACCESS_KEY_ID is missing: AWS_SECRET_ACCESS_KEY is set")
    if options.access_key_id and not options.secret_access_key:
        raise MisconfiguredError("the setting AWS_SECRET_ACCESS_KEY is missing: AWS_ACCESS_KEY_ID is set")
    if options.server_side_encryption not in {"none", "AES256", "aws:kms"}:
        raise MisconfiguredError("the setting S3_SERVER_SIDE_ENCRYPTION is not one of none, AES256, aws:kms")
    if options.kms_key_id and options.server_side_encryption != "aws:kms":
        raise MisconfiguredError("the setting S3_KMS_KEY_ID needs S3_SERVER_SIDE_ENCRYPTION to be aws:kms")


def _credentials(options: StorageOptions) -> dict[str, str]:
    if not options.access_key_id:
        return {}
    token = {"aws_session_token": options.session_token} if options.session_token else {}
    return {"aws_access_key_id": options.access_key_id, "aws_secret_access_key": options.secret_access_key, **token}


def _address(options: StorageOptions) -> dict[str, str]:
    return {"region_name": options.region, **({"endpoint_url": options.endpoint_url} if options.endpoint_url else {})}


def _config(options: StorageOptions) -> AioConfig:
    return AioConfig(
        # Not 'auto', which is the path for every address but AWS's; 'virtual' is so where there can be no host name.
        s3={"addressing_style": "path" if options.use_path_style else "virtual"},
        max_pool_connections=options.max_connections,
        connect_timeout=options.connect_timeout_s,
        read_timeout=options.timeout_s,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        request_checksum_calculation=options.checksum_mode,
        response_checksum_validation=options.checksum_mode,
        proxies={} if is_loopback(urlsplit(options.endpoint_url).hostname or "") else None,
    )


def _encryption(options: StorageOptions) -> dict[str, str]:
    if options.server_side_encryption == "none":
        return {}
    key = {"SSEKMSKeyId": options.kms_key_id} if options.kms_key_id else {}
    return {"ServerSideEncryption": options.server_side_encryption, **key}
