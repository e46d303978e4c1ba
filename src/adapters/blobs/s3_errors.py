"""What S3 and its client say when something is wrong, in our own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from domain.errors import MisconfiguredError, NotFoundError, UnavailableError

DEPENDENCY = "blob store"
NO_CREDENTIALS = (
    "no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what the standard AWS chain asks"
)

_PERMISSIONS = "s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket"
_FORBIDDEN = f"the credentials may not use the bucket of the setting S3_BUCKET_NAME ({_PERMISSIONS})"
_OTHER_REGION = "the setting AWS_REGION is not the region of the bucket that S3_BUCKET_NAME names"
_OLD_TOKEN = "the temporary credentials, AWS_SESSION_TOKEN among them, are refused or have expired"  # noqa: S105 - a text
_WRONG_SETTING = {
    "AccessDenied": _FORBIDDEN,
    "NoSuchBucket": "the setting S3_BUCKET_NAME names a bucket that does not exist",
    "InvalidBucketName": "the setting S3_BUCKET_NAME is no name of a bucket",
    "InvalidAccessKeyId": "the setting AWS_ACCESS_KEY_ID is a key that S3 does not know",
    "SignatureDoesNotMatch": "the setting AWS_SECRET_ACCESS_KEY does not fit AWS_ACCESS_KEY_ID",
    "ExpiredToken": _OLD_TOKEN,
    "InvalidToken": _OLD_TOKEN,
    "TokenRefreshRequired": _OLD_TOKEN,
    "PermanentRedirect": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "IllegalLocationConstraintException": _OTHER_REGION,
}
# Below 500, and yet over at another attempt.
_PASSING = {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InvalidPart",
    "NoSuchUpload",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}
_PASSING_STATUS = {408, 425, 429}
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501


@contextmanager
def translated_errors(operation: str, *, missing: str | None = None) -> Iterator[None]:
    """Turn whatever the client raises into UnavailableError or MisconfiguredError; no message shows a value.

    With `missing`, an object that is not there raises NotFoundError for that key.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error, operation, missing) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise MisconfiguredError(NO_CREDENTIALS) from error
    except ParamValidationError as error:
        raise MisconfiguredError(f"a setting for S3 cannot be sent in {operation}: check S3_BUCKET_NAME") from error
    except TimeoutError as error:
        raise UnavailableError(DEPENDENCY, f"no whole answer to {operation} in time") from error
    except CredentialRetrievalError as error:
        raise UnavailableError(DEPENDENCY, "the provider of the AWS credentials does not answer") from error
    except SSLError as error:
        reason = "no TLS connection; AWS_CA_BUNDLE names other authorities to trust"
        raise UnavailableError(DEPENDENCY, f"{operation}: {reason}") from error
    except (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError) as error:
        raise UnavailableError(DEPENDENCY, f"{operation}: {type(error).__name__}") from error


def code_of(error: BaseException | None) -> str:
    """The code that S3 gave for what became this error; of an answer without a body, its status; '' for no answer."""
    cause = error.__cause__ if error else None
    return str(cause.response["Error"].get("Code", "")) if isinstance(cause, ClientError) else ""


def refusal(code: str, status: int, operation: str) -> MisconfiguredError | UnavailableError:
    """What a code and a status mean, wherever they stand."""
    if code in _WRONG_SETTING:
        return MisconfiguredError(_WRONG_SETTING[code])
    if code.startswith("KMS."):
        return MisconfiguredError(f"the setting S3_KMS_KEY_ID names a key that S3 cannot use ({code})")
    passing = code in _PASSING or status in _PASSING_STATUS
    if passing or (status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED):
        skewed = code == "RequestTimeTooSkewed"
        reason = "the clock of this machine and that of S3 are too far apart" if skewed else f"HTTP {status} {code}"
        return UnavailableError(DEPENDENCY, f"{operation}: {reason}")
    if status in {401, 403}:
        return MisconfiguredError(_FORBIDDEN)
    if status == 404:  # noqa: PLR2004 - the number says more than a name; without a body there is no code
        return MisconfiguredError(_WRONG_SETTING["NoSuchBucket"])
    return MisconfiguredError(
        f"S3 refuses {operation} (HTTP {status} {code}): check S3_ENDPOINT_URL and the S3_ settings"
    )


def _translated(error: ClientError, operation: str, missing: str | None) -> Exception:
    code, status = str(error.response["Error"].get("Code", "")), _status(error)
    if missing is not None and code in {"NoSuchKey", "404", "NotFound"}:
        return NotFoundError("blob", missing)
    return refusal(code, status, operation)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
