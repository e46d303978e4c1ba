"""What Milvus and gRPC raise, in the words of the core."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from pymilvus.exceptions import ConnectionConfigException, MilvusException, ParamError

from domain.errors import MisconfiguredError, UnavailableError

# pymilvus configures logging while it is imported and prints a traceback for every failed call: after, not before.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

COLLECTION_NOT_LOADED = 101

_LITE_ILLEGAL_ARGUMENT = 6
_PARAMETER_INVALID = 1_100
_SHAPE_CODES = {_LITE_ILLEGAL_ARGUMENT, _PARAMETER_INVALID}

_REFUSED = {
    grpc.StatusCode.UNAUTHENTICATED: "it refuses the token",
    grpc.StatusCode.PERMISSION_DENIED: "it refuses the token",
    grpc.StatusCode.UNIMPLEMENTED: "there is no Milvus 2.5 or later at that address",
}


@contextmanager
def translated_errors() -> Iterator[None]:
    """MisconfiguredError for what an operator must mend, UnavailableError for everything else."""
    try:
        yield
    except TimeoutError as error:
        raise UnavailableError("milvus", "no answer in time") from error
    except (MilvusException, grpc.RpcError, OSError) as error:
        if remedy := _for_the_operator(error):
            raise MisconfiguredError(f"Milvus: {remedy}") from error
        raise UnavailableError("milvus", _one_line(error)) from error


def _for_the_operator(error: Exception) -> str | None:
    # pymilvus hides the status of a failed connection attempt in the cause.
    status = _status(error) or _status(error.__cause__)
    if status in _REFUSED:
        return _REFUSED[status]
    if isinstance(error, ConnectionConfigException):
        return "its address is no URI like http://host:19530"
    if isinstance(error, ParamError) or getattr(error, "code", None) in _SHAPE_CODES:
        return _one_line(error)
    return None


def _status(error: BaseException | None) -> grpc.StatusCode | None:
    if not isinstance(error, grpc.RpcError):
        return None
    status = error.code()
    return status if isinstance(status, grpc.StatusCode) else None


def _one_line(error: Exception) -> str:
    if isinstance(error, grpc.RpcError) and (status := _status(error)) is not None:
        return f"gRPC status {status.name}"
    message = error.message if isinstance(error, MilvusException) else str(error)
    return " ".join(str(message).split())[:200] or type(error).__name__
