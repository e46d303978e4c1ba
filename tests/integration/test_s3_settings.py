"""What the settings for S3 say: whom it is asked as, where, how encrypted, and what a wrong one is answered with."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from adapters.blobs.options import StorageOptions
from adapters.blobs.s3 import opened
from adapters.blobs.s3_bucket import opened_bucket
from adapters.blobs.s3_upload import PART_BYTES
from builders.s3_proxy import retries_at_once, s3_proxy
from builders.s3_servers import KEY_ID, S3_SERVERS, SECRET, S3Server
from builders.tls_proxy import an_authority, tls_proxy
from contracts.blob_store import KEY, MEBIBYTE, keys_below, pieces, read_all
from domain.errors import MisconfiguredError, UnavailableError

LARGE = [bytes([number]) * MEBIBYTE for number in range(PART_BYTES // MEBIBYTE + 1)]


@pytest.fixture(scope="module", params=S3_SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[S3Server]:
    with S3_SERVERS[request.param]() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


async def test_the_mark_that_proves_the_settings_is_no_blob(server: S3Server, bucket: str) -> None:
    for _ in range(2):
        async with opened(server.options(bucket)) as store:
            assert server.back_door.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
            assert await keys_below(store, "") == []


async def test_a_bucket_that_is_not_there_is_a_misconfiguration(server: S3Server) -> None:
    with pytest.raises(MisconfiguredError, match="S3_BUCKET_NAME names a bucket that does not exist"):
        async with opened(server.options("no-such-bucket")):
            pass


async def test_a_bucket_that_goes_is_no_missing_blob(server: S3Server, bucket: str) -> None:
    async with opened(server.options(bucket)) as store:
        await store.delete_below(".ladderbase")
        server.back_door.delete_bucket(Bucket=bucket)
        for call in (store.size(KEY), anext(store.read(KEY)), store.put(KEY, pieces(b"x"))):
            with pytest.raises(MisconfiguredError, match="S3_BUCKET_NAME"):
                await call


async def test_a_certificate_of_one_s_own_is_trusted_by_the_variable_that_every_client_of_aws_knows(
    server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = an_authority(tmp_path)
    options = server.options(bucket)
    with tls_proxy(options.endpoint_url, authority) as proxy, retries_at_once():
        options = replace(options, endpoint_url=proxy.uri)
        async with opened(options) as store:
            with pytest.raises(UnavailableError, match="AWS_CA_BUNDLE"):
                await store.size(KEY)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
        async with opened(options) as store:
            await store.put(KEY, pieces(b"ladder"))
            assert await read_all(store, KEY) == b"ladder"


async def test_checksums_of_the_client_are_understood(server: S3Server, bucket: str) -> None:
    async with opened(server.options(bucket, checksum_mode="when_supported")) as store:
        await store.put(KEY, pieces(b"ladder"))
        await store.put("a/large", pieces(*LARGE))
        assert await read_all(store, KEY) == b"ladder"
        assert hashlib.sha256(await read_all(store, "a/large")).digest() == hashlib.sha256(b"".join(LARGE)).digest()
        if server.sums_what_it_sends:
            assert await read_all(store, KEY, start=1, stop=3) == b"ad"
        else:  # rclone sends the sum of the whole with a part
            with pytest.raises(UnavailableError, match="Checksum"):
                await read_all(store, KEY, start=1, stop=3)


@pytest.mark.parametrize("change", [{"access_key_id": "stranger"}, {"secret_access_key": "wrong-secret"}])
async def test_a_wrong_key_is_a_misconfiguration_where_keys_are_checked(
    server: S3Server, bucket: str, change: dict[str, str]
) -> None:
    if not server.checks_signatures:
        async with opened(server.options(bucket, **change)) as store:
            await store.put(KEY, pieces(b"x"))
        return
    with pytest.raises(MisconfiguredError, match=r"AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY") as raised:
        async with opened(server.options(bucket, **change)):
            pass
    assert not {*change.values(), KEY_ID} & set(str(raised.value).split())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"server_side_encryption": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        (
            {"server_side_encryption": "aws:kms", "kms_key_id": "a-key"},
            {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "a-key"},
        ),
    ],
    ids=["none", "AES256", "aws:kms"],
)
async def test_encryption_is_asked_for_with_every_object(
    server: S3Server, bucket: str, change: dict[str, str], expected: dict[str, str]
) -> None:
    async with s3_proxy(server) as proxy, opened(server.options(bucket, endpoint_url=proxy.url, **change)) as store:
        await store.put("small", pieces(b"x"))
        await store.put("large", pieces(*LARGE))
    asked = {asked.operation: asked.headers for asked in proxy.seen}
    for operation in ("PutObject", "CreateMultipartUpload"):
        assert {name: value for name, value in asked[operation].items() if "encryption" in name} == expected
    for key in ("small", "large", ".ladderbase/write-once"):
        head = server.back_door.head_object(Bucket=bucket, Key=key)
        said = [head[name] for name in ("ServerSideEncryption", "SSEKMSKeyId") if name in head]
        assert said == (list(expected.values()) if server.says_how_it_encrypts else [])


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the standard AWS chain would find on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("no_credentials")
async def test_without_a_key_the_standard_chain_is_asked(
    server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = server.options(bucket, access_key_id="", secret_access_key="")
    with pytest.raises(MisconfiguredError, match="no credentials for S3: set AWS_ACCESS_KEY_ID"):
        async with opened(options):
            pass
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    async with opened(options) as store:
        await store.put(KEY, pieces(b"ladder"))


async def test_a_session_token_goes_with_every_request(server: S3Server, bucket: str) -> None:
    async with s3_proxy(server) as proxy:
        options = server.options(bucket, endpoint_url=proxy.url, session_token="a-token")
        async with opened_bucket(options) as opened:
            await opened.call("list_objects_v2")
    assert [asked.headers["x-amz-security-token"] for asked in proxy.seen] == ["a-token"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "https://a-bucket.s3.eu-central-1.amazonaws.com/a/b"),
        ({"use_path_style": True}, "https://s3.eu-central-1.amazonaws.com/a-bucket/a/b"),
        ({"endpoint_url": "http://store:9000"}, "http://a-bucket.store:9000/a/b"),
        ({"endpoint_url": "http://store:9000", "use_path_style": True}, "http://store:9000/a-bucket/a/b"),
        ({"endpoint_url": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000/a-bucket/a/b"),
        ({"bucket": "A_Bucket"}, "https://s3.eu-central-1.amazonaws.com/A_Bucket/a/b"),
    ],
    ids=str,
)
async def test_the_bucket_stands_in_the_path_or_in_the_host(change: dict[str, Any], expected: str) -> None:
    options = StorageOptions(bucket="a-bucket", region="eu-central-1", access_key_id="id", secret_access_key="key")
    urls = []

    def note(request: AWSPreparedRequest, **_: object) -> None:
        urls.append(request.url)
        raise ConnectionError

    async with opened_bucket(replace(options, **change)) as bucket:
        bucket.client.meta.events.register("before-send.s3", note)
        with pytest.raises(UnavailableError):
            await bucket.call("get_object", Key="a/b")
    assert set(urls) == {expected}


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"bucket": ""}, "S3_BUCKET_NAME"),
        ({"bucket": "No Bucket!"}, "S3_BUCKET_NAME"),
        ({"access_key_id": ""}, "AWS_ACCESS_KEY_ID"),
        ({"secret_access_key": ""}, "AWS_SECRET_ACCESS_KEY"),
        ({"server_side_encryption": "rot13"}, "S3_SERVER_SIDE_ENCRYPTION"),
        ({"kms_key_id": "a-key"}, "S3_KMS_KEY_ID"),
        ({"endpoint_url": "nowhere"}, "S3_ENDPOINT_URL"),
        ({"region": "no region"}, "AWS_REGION"),
    ],
    ids=str,
)
async def test_settings_that_cannot_be_are_named(change: dict[str, Any], setting: str) -> None:
    options = StorageOptions(bucket="b", access_key_id="id", secret_access_key="key", endpoint_url="http://s:1")
    with pytest.raises(MisconfiguredError, match=setting) as raised:
        async with opened(replace(options, **change)):
            pass
    assert "\n" not in str(raised.value)
