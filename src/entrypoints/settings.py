"""What the environment may say: read once, here, and imported nowhere but in the entry points."""

import sys
import tempfile
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec

from domain.caller import Scope
from domain.upload import MEBIBYTE, UploadLimits

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
PostgresUrl = Annotated[str, msgspec.Meta(pattern=r"^postgres(ql)?(\+asyncpg)?://")]
RedisUrl = Annotated[str, msgspec.Meta(pattern=r"^(rediss?|unix)://")]
MilvusUri = Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$")]
HttpUrl = Annotated[str, msgspec.Meta(pattern=r"^(https?://.+)?$")]
ApiKey = Annotated[str, msgspec.Meta(pattern=r"^[!-~]*$")]  # what fits into a header
JwksUrl = Annotated[str, msgspec.Meta(pattern=r"^(https://.+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/.*)?)?$")]
Origins = Annotated[
    str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.\-\[\]:]+(\s*,\s*https?://[A-Za-z0-9.\-\[\]:]+)*)?$")
]
PerMinute = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Places = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
ScopeNames = Annotated[
    str, msgspec.Meta(pattern=r"^\s*(read|write|admin)=[^\s,]+(\s*,\s*(read|write|admin)=[^\s,]+)*$")
]
Names = Annotated[str, msgspec.Meta(pattern=r"^\s*[^\s,][^,]*(,\s*[^\s,][^,]*)*$")]
_SHAPES = {
    "DATABASE_URL": "it begins with postgresql://",
    "REDIS_URL": "it begins with redis://, rediss:// or unix://",
    "MILVUS_URI": "it begins with http:// or https://",
    "EMBEDDING_BASE_URL": "it begins with http:// or https://",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "it begins with http:// or https://",
    "BUILD_COMMIT": "it is a commit's hexadecimal digits",
    "S3_ENDPOINT_URL": "it begins with http:// or https://",
    **dict.fromkeys(
        ("EMBEDDING_API_KEY", "OPENAI_API_KEY", "HUGGINGFACE_API_KEY", "COHERE_API_KEY"),
        "it is printable ASCII without blanks",
    ),
    "CORS_ALLOWED_ORIGINS": "it is a list of origins, as https://app.example.com, separated by commas",
    "OIDC_JWKS_URL": "it begins with https:// (on this machine http:// will do)",
    "OIDC_SCOPES": "it is a list of read, write or admin, =, and a name, separated by commas",
    "PGM_TEMPLATE_REQUIRED_COLUMNS": "it is a list of names, separated by commas",
}


_KINDS = {"int | null": "a whole number", "int": "a whole number", "bool": "true or false", "str": "a text"}


class SettingsError(Exception):
    """A setting is missing or wrong. The message names it and never shows its value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="upper"):
    """Every setting, under its environment variable's name in lower case."""

    database_url: PostgresUrl
    redis_url: RedisUrl

    host: Text = "127.0.0.1"
    port: Port = 8000
    shutdown_delay_s: Annotated[int, msgspec.Meta(ge=0, le=60)] = 0
    auth: Literal["off", "required"] = "off"
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks_url: JwksUrl = ""
    oidc_jwks_file: str = ""
    oidc_scope_claim: Text = "scope"
    oidc_scopes: ScopeNames = "read=ladderbase:read,write=ladderbase:write,admin=ladderbase:admin"
    oidc_name_claim: Text = "sub"
    uploads_at_once: Places = 16
    uploads_at_once_per_caller: Places = 8
    uploads_per_minute: PerMinute = 120
    searches_per_minute: PerMinute = 1_200
    unknown_keys_per_minute: PerMinute = 60
    streams_at_once: Places = 100
    streams_at_once_per_caller: Places = 50
    trusted_proxies: str = ""
    cors_allowed_origins: Origins = ""
    metrics_access: Literal["key", "open"] = "key"
    worker_metrics_host: Text = "127.0.0.1"
    worker_metrics_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    otel_exporter_otlp_endpoint: HttpUrl = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    build_commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{0,64}$")] = ""
    scratch_dir: Text = tempfile.gettempdir()

    storage_type: Text = "local"  # adapters.blobs.registry knows the choices
    storage_local_root: Text = "./data/blobs"
    s3_bucket_name: str = ""
    s3_endpoint_url: HttpUrl = ""
    s3_use_path_style: bool = False
    s3_server_side_encryption: Literal["none", "AES256", "aws:kms"] = "none"
    s3_kms_key_id: str = ""
    s3_checksum_mode: Literal["when_supported", "when_required"] = "when_required"
    s3_max_connections: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32
    s3_connect_timeout_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 3
    s3_timeout_s: Annotated[int, msgspec.Meta(ge=1, le=600)] = 30
    aws_region: Text = "us-east-1"
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_session_token: str = ""

    milvus_uri: MilvusUri = ""
    milvus_host: Text = "127.0.0.1"
    milvus_port: Port = 19_530
    milvus_token: str = ""
    milvus_database: str = ""
    milvus_ca_file: str = ""
    milvus_collection_name: Text = "ladderbase"
    milvus_embedding_dim: PositiveInt | None = None

    embedding_model: Text = "embedded"  # adapters.embedding.registry knows the choices
    embedding_model_name: Annotated[str, msgspec.Meta(max_length=128)] = ""
    embedding_base_url: HttpUrl = ""
    embedding_api_key: ApiKey = ""
    openai_api_key: ApiKey = ""
    huggingface_api_key: ApiKey = ""
    cohere_api_key: ApiKey = ""
    embedding_batch_size: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32
    embedding_concurrency: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    embedding_timeout_s: Annotated[int, msgspec.Meta(ge=1, le=300)] = 30
    embedding_query_timeout_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 2
    embedding_max_characters: Annotated[int, msgspec.Meta(ge=1, le=32_000)] = 2_000

    webhook_allow_private: bool = False
    index_follows_model: bool = False
    async_milvus_processing: bool = True
    worker_jobs: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2

    pgm_ladder_zip_max_size: PositiveInt = 100 * MEBIBYTE
    pgm_template_file_max_size: PositiveInt = 10 * MEBIBYTE
    pgm_comment_file_max_size: PositiveInt = 10 * MEBIBYTE
    pgm_ladder_csv_max_size: PositiveInt = 5 * MEBIBYTE
    further_document_max_size: PositiveInt = 20 * MEBIBYTE
    pgm_template_required_columns: Names = "Folder ID,Folder Name,Sub Folder Name,Logic ID,Logic Name"

    @property
    def listens_on_loopback(self) -> bool:
        """Whether nobody but this machine reaches the API."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks whose X-Forwarded-For is believed."""
        return _listed(self.trusted_proxies)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """The origins whose pages may ask."""
        return _listed(self.cors_allowed_origins)

    @property
    def oidc_scope_names(self) -> Mapping[str, Scope]:
        """What the issuer of tokens calls our scopes; of two names for one, both count."""
        pairs = (pair.strip().partition("=") for pair in self.oidc_scopes.split(","))
        return {name: Scope(scope) for scope, _, name in pairs}

    @property
    def milvus_address(self) -> str:
        """MILVUS_URI, or what MILVUS_HOST and MILVUS_PORT make of it."""
        return self.milvus_uri or f"http://{self.milvus_host}:{self.milvus_port}"

    @property
    def embedding_key(self) -> str:
        """EMBEDDING_API_KEY, or the key that the chosen provider has a setting of its own for."""
        own = {"openai": self.openai_api_key, "huggingface": self.huggingface_api_key, "cohere": self.cohere_api_key}
        return self.embedding_api_key or own.get(self.embedding_model, "")

    @property
    def scratch(self) -> Path:
        """The folder for files on their way through."""
        return Path(self.scratch_dir)

    @property
    def upload_limits(self) -> UploadLimits:
        """What an upload may hold at most."""
        return UploadLimits(
            zip_bytes=self.pgm_ladder_zip_max_size,
            template_bytes=self.pgm_template_file_max_size,
            comment_bytes=self.pgm_comment_file_max_size,
            csv_bytes=self.pgm_ladder_csv_max_size,
            document_bytes=self.further_document_max_size,
            required_columns=tuple(name.strip() for name in self.pgm_template_required_columns.split(",")),
        )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError naming the first one that is missing or wrong."""
    known = {field.encode_name for field in msgspec.structs.fields(Settings)}
    given = {name: value.strip() for name, value in environment.items() if name in known and value.strip()}
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_without_value(str(error))) from None


def require_consistent_access(settings: Settings) -> None:
    """Raise SettingsError where the API would be open to more than is meant, or trust an issuer by halves."""
    if settings.auth == "off" and not settings.listens_on_loopback:
        raise SettingsError("HOST is wider than loopback while AUTH is off: set AUTH=required, or HOST=127.0.0.1")
    for proxy in settings.proxies:
        try:
            ip_network(proxy)
        except ValueError:
            raise SettingsError("TRUSTED_PROXIES is wrong: it is a list of addresses and networks") from None
    named = {
        "OIDC_ISSUER": settings.oidc_issuer,
        "OIDC_AUDIENCE": settings.oidc_audience,
        "OIDC_JWKS_URL or OIDC_JWKS_FILE": settings.oidc_jwks_url or settings.oidc_jwks_file,
    }
    missing = [name for name, value in named.items() if not value]
    if 0 < len(missing) < len(named):
        raise SettingsError(f"an issuer of tokens is named by halves: {missing[0]} is missing")
    if settings.oidc_jwks_url and settings.oidc_jwks_file:
        raise SettingsError("OIDC_JWKS_URL and OIDC_JWKS_FILE are both set: leave one out")
    if not missing and settings.auth == "off":
        raise SettingsError("OIDC_ISSUER is set while AUTH is off: set AUTH=required, or leave the issuer out")


def read_database_url(environment: Mapping[str, str]) -> str:
    """DATABASE_URL alone, for what needs nothing else. Raises SettingsError."""
    return read_settings({"DATABASE_URL": environment.get("DATABASE_URL", ""), "REDIS_URL": "redis://"}).database_url


def exit_on(error: Exception) -> NoReturn:
    """End the process with the one line that helps."""
    sys.exit(f"ladderbase: {error}")


def _without_value(message: str) -> str:
    """Msgspec quotes what it got only for choices; `at $.NAME` tells which setting."""
    if "required field" in message:
        return f"the setting {message.split('`', 2)[1]} is missing"
    name = message.rsplit("$.", 1)[-1].rstrip("`")
    if "matching regex" in message:
        return f"the setting {name} is wrong: {_SHAPES[name]}"
    expectation = message.split(", got", 1)[0].split(" - at", 1)[0]
    reason = (
        "is not one of its choices"
        if "enum value" in message
        else f"is wrong: {expectation[0].lower()}{expectation[1:]}"
    )
    for kind, words in _KINDS.items():
        reason = reason.replace(f"`{kind}`", words)
    return f"the setting {name} {reason}"
