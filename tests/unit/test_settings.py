"""What the environment may say, and that the documents say the same."""

import re
import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from domain.caller import Scope
from domain.upload import MEBIBYTE, UploadLimits
from entrypoints.settings import Settings, SettingsError, read_settings, require_consistent_access

ROOT = Path(__file__).parents[2]
REQUIRED = {"DATABASE_URL": "postgresql://somebody@127.0.0.1/ladderbase", "REDIS_URL": "redis://127.0.0.1:6379/0"}
NAMES = [field.encode_name for field in msgspec.structs.fields(Settings)]
OF_THE_MACHINE = {"SCRATCH_DIR"}
WRONG = {
    "DATABASE_URL": ["mysql://somebody@127.0.0.1/x", "nonsense"],
    "REDIS_URL": ["foo", "http://127.0.0.1"],
    "MILVUS_URI": ["nonsense", "./milvus.db"],
    "PGM_TEMPLATE_REQUIRED_COLUMNS": [",,Logic Name", "Logic ID,,Logic Name"],
    "AUTH": ["yes", "none", "Required"],
    "OIDC_JWKS_URL": ["http://login.example.com/certs", "http://localhost.example.com", "http://127.0.0.1:x@evil"],
    "OIDC_SCOPES": ["viewer", "root=a", "read=a,,write=b", "admin=", "read=a b"],
    "PORT": ["http", "-7", "65537", "80.5"],
    "UPLOADS_AT_ONCE": ["many", "-7", "1001", "0"],
    "UPLOADS_AT_ONCE_PER_CALLER": ["all", "-7", "1001"],
    "UPLOADS_PER_MINUTE": ["often", "-7", "1000001"],
    "SEARCHES_PER_MINUTE": ["often", "-7", "1000001"],
    "UNKNOWN_KEYS_PER_MINUTE": ["few", "-7", "1000001"],
    "STREAMS_AT_ONCE": ["many", "-7", "1001", "0"],
    "STREAMS_AT_ONCE_PER_CALLER": ["many", "-7", "1001", "0"],
    "CORS_ALLOWED_ORIGINS": ["*", "null", "https://*.example.com", "https://a.example.com/path", "pages.example.org"],
    "METRICS_ACCESS": ["closed", "Open"],
    "WORKER_METRICS_PORT": ["http", "-7", "65537"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["collector:4318", "grpc://collector"],
    "LOG_LEVEL": ["TRACE", "info"],
    "LOG_FORMAT": ["text", "JSON"],
    "BUILD_COMMIT": ["main", "16B8366"],
    "S3_ENDPOINT_URL": ["minio:9000", "s3://bucket"],
    "S3_USE_PATH_STYLE": ["maybe"],
    "S3_SERVER_SIDE_ENCRYPTION": ["aes256", "kms"],
    "S3_CHECKSUM_MODE": ["never"],
    "S3_MAX_CONNECTIONS": ["many", "-7", "25700"],
    "S3_CONNECT_TIMEOUT_S": ["soon", "-7", "6100"],
    "S3_TIMEOUT_S": ["soon", "-7", "60100"],
    "MILVUS_PORT": ["grpc", "-7", "65537"],
    "MILVUS_EMBEDDING_DIM": ["many", "-512"],
    "EMBEDDING_MODEL_NAME": ["m" * 129],
    "EMBEDDING_BASE_URL": ["ollama:11434", "ftp://models"],
    "EMBEDDING_API_KEY": ["a key", "열쇠"],
    "OPENAI_API_KEY": ["sk-two\nlines"],
    "HUGGINGFACE_API_KEY": ["hf_a\tb"],
    "COHERE_API_KEY": ["clé"],
    "EMBEDDING_BATCH_SIZE": ["many", "-7", "25700"],
    "EMBEDDING_CONCURRENCY": ["two", "-7", "6500"],
    "EMBEDDING_TIMEOUT_S": ["soon", "-7", "30100"],
    "EMBEDDING_QUERY_TIMEOUT_S": ["soon", "-7", "6100"],
    "EMBEDDING_MAX_CHARACTERS": ["all", "-7", "99999"],
    "WEBHOOK_ALLOW_PRIVATE": ["maybe"],
    "INDEX_FOLLOWS_MODEL": ["maybe"],
    "ASYNC_MILVUS_PROCESSING": ["maybe", "yes", "2"],
    "WORKER_JOBS": ["two", "-7"],
    "PGM_LADDER_ZIP_MAX_SIZE": ["100MB", "-7"],
    "PGM_TEMPLATE_FILE_MAX_SIZE": ["10 MB", "-7"],
    "PGM_COMMENT_FILE_MAX_SIZE": ["ten", "-7"],
    "PGM_LADDER_CSV_MAX_SIZE": ["5M", "-7"],
}


def test_two_settings_are_enough() -> None:
    settings = read_settings(REQUIRED)
    assert settings.upload_limits == UploadLimits()
    assert settings.milvus_address == "http://127.0.0.1:19530"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "  "], ids=["absent", "empty", "blank"])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {**REQUIRED, name: value}
    with pytest.raises(SettingsError) as raised:
        read_settings({key: text for key, text in environment.items() if text is not None})
    assert str(raised.value) == f"the setting {name} is missing"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_gives_one_line_that_names_the_setting_and_never_the_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({**REQUIRED, name: value})
    message = str(raised.value)
    assert message.startswith(f"the setting {name} is ")
    assert "\n" not in message
    assert value not in message
    assert raised.value.__suppress_context__  # msgspec's own message would show up in a traceback


@pytest.mark.parametrize("name", ["PORT", "WORKER_JOBS", "PGM_LADDER_ZIP_MAX_SIZE"])
def test_a_number_must_be_at_least_one(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({**REQUIRED, name: "0"})


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("false", False), ("FALSE", False), ("0", False)]
)
def test_booleans_are_read(text: str, value: bool) -> None:  # noqa: FBT001 - the value that is expected
    assert read_settings({**REQUIRED, "ASYNC_MILVUS_PROCESSING": text}).async_milvus_processing is value


def test_sizes_are_bytes() -> None:
    limits = read_settings({**REQUIRED, "PGM_LADDER_ZIP_MAX_SIZE": str(3 * MEBIBYTE)}).upload_limits
    assert (limits.zip_bytes, limits.csv_bytes) == (3 * MEBIBYTE, 5 * MEBIBYTE)


def test_the_required_columns_are_separated_by_commas() -> None:
    settings = read_settings({**REQUIRED, "PGM_TEMPLATE_REQUIRED_COLUMNS": "Logic ID , Logic Name"})
    assert settings.upload_limits.required_columns == ("Logic ID", "Logic Name")


def test_the_address_of_milvus_wins_over_its_host_and_port() -> None:
    named = {**REQUIRED, "MILVUS_HOST": "milvus", "MILVUS_PORT": "1953"}
    assert read_settings(named).milvus_address == "http://milvus:1953"
    assert read_settings({**named, "MILVUS_URI": "https://cloud:443"}).milvus_address == "https://cloud:443"


@pytest.mark.parametrize("provider", ["openai", "huggingface", "cohere"])
def test_the_key_is_the_general_one_or_that_of_the_chosen_provider(provider: str) -> None:
    keys = {"OPENAI_API_KEY": "of-openai", "HUGGINGFACE_API_KEY": "of-huggingface", "COHERE_API_KEY": "of-cohere"}
    environment = {**REQUIRED, **keys, "EMBEDDING_MODEL": provider}
    assert read_settings(environment).embedding_key == f"of-{provider}"
    assert read_settings({**environment, "EMBEDDING_API_KEY": "of-all"}).embedding_key == "of-all"


def test_the_embedded_model_gets_nobody_s_key() -> None:
    assert read_settings({**REQUIRED, "OPENAI_API_KEY": "of-openai"}).embedding_key == ""


def test_what_is_no_setting_is_left_alone_and_blanks_around_a_value_are_cut() -> None:
    assert read_settings({**REQUIRED, "PATH": "/bin", "PORT": " 8123 ", "WORKER_JOBS": " "}) == read_settings(
        {**REQUIRED, "PORT": "8123"}
    )


ISSUER = {
    "AUTH": "required",
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_AUDIENCE": "ladderbase",
    "OIDC_JWKS_URL": "https://login.example.com/certs",
}
WIDE = ["0.0.0.0", "::", "10.0.0.7", "ladderbase.example.com", "localhost.example.com"]  # noqa: S104 - refused


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    require_consistent_access(read_settings({**REQUIRED, "HOST": host}))


@pytest.mark.parametrize("host", WIDE)
def test_more_than_loopback_needs_keys(host: str) -> None:
    with pytest.raises(SettingsError, match=r"^HOST is wider than loopback while AUTH is off: set AUTH=required"):
        require_consistent_access(read_settings({**REQUIRED, "HOST": host}))
    require_consistent_access(read_settings({**REQUIRED, "HOST": host, "AUTH": "required"}))


@pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URL"])
def test_an_issuer_is_named_wholly_or_not_at_all(missing: str) -> None:
    require_consistent_access(read_settings({**REQUIRED, **ISSUER}))
    with pytest.raises(SettingsError, match=f"by halves: {missing}.* is missing$"):
        require_consistent_access(read_settings({**REQUIRED, **ISSUER, missing: ""}))


@pytest.mark.parametrize("wrong", [{"AUTH": "off"}, {"OIDC_JWKS_FILE": "/jwks.json"}])
def test_an_issuer_that_would_not_count_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        require_consistent_access(read_settings({**REQUIRED, **ISSUER, **wrong}))


def test_scopes_may_have_names_of_the_issuer_s_own() -> None:
    settings = read_settings({**REQUIRED, "OIDC_SCOPES": "read=viewer , read=https://x/auditor,write=engineer"})
    assert settings.oidc_scope_names == {
        "viewer": Scope.READ,
        "https://x/auditor": Scope.READ,
        "engineer": Scope.WRITE,
    }


def test_the_example_names_every_setting_once_in_the_order_of_the_code() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert [line.partition("=")[0] for line in lines if line and not line.startswith("#")] == NAMES


def test_each_setting_of_the_example_has_one_line_of_comment_before_it() -> None:
    lines = ["", *(ROOT / ".env.example").read_text("utf-8").splitlines()]
    before = {line.partition("=")[0]: previous for previous, line in pairwise(lines)}
    assert [name for name in NAMES if not before[name].startswith("# ")] == []


def test_the_example_holds_the_defaults() -> None:
    example = _example()
    assert read_settings(example) == read_settings({name: example[name] for name in REQUIRED})


def test_the_example_leaves_only_those_blank_that_have_no_default_of_their_own() -> None:
    without_default = {
        field.encode_name for field in msgspec.structs.fields(Settings) if field.default in ("", None)
    }  # required ones have msgspec's NODEFAULT
    assert {name for name, value in _example().items() if not value} == without_default | OF_THE_MACHINE


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/settings.ko.md"])
def test_the_table_of_settings_names_each_with_its_default(page: str) -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.+?) \|", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
    assert [name for name, _ in rows] == NAMES
    told = {name: default.strip("`") for name, default in rows if default.startswith("`")}
    spelled_out = {name: value for name, value in _example().items() if value and name not in REQUIRED}
    assert told == spelled_out


def _example() -> Mapping[str, str]:
    """The example as a shell reads it."""
    assignments = shlex.split((ROOT / ".env.example").read_text("utf-8"), comments=True)
    return {name: value for name, _, value in (word.partition("=") for word in assignments)}


@pytest.mark.parametrize("proxies", ["gateway", "10.0.0.0/33", "*", "10.0.0.1/8"])
def test_proxies_that_are_no_addresses_end_the_start(proxies: str) -> None:
    with pytest.raises(SettingsError, match="TRUSTED_PROXIES is wrong"):
        require_consistent_access(read_settings({**REQUIRED, "TRUSTED_PROXIES": proxies}))


def test_lists_are_read_without_their_blanks() -> None:
    settings = read_settings(
        {
            **REQUIRED,
            "TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
            "CORS_ALLOWED_ORIGINS": "https://a.example.com , http://localhost:3000",
        }
    )
    assert settings.proxies == ("10.0.0.0/8", "2001:db8::1")
    assert settings.cors_origins == ("https://a.example.com", "http://localhost:3000")
