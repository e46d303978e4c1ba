"""What Milvus and gRPC raise, in the words of the core."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from pymilvus.exceptions import ConnectionConfigException, MilvusException, ParamError

from domain.errors import MisconfiguredError, UnavailableError

# pymilvus configures logging while it is imported and prints a traceback for every failed call: after, not before.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

COLLECTION_NOT_FOUND = 100
COLLECTION_NOT_LOADED = 101
INDEX_NOT_FOUND = 700

_DATABASE_NOT_FOUND = 800
_LITE_ILLEGAL_ARGUMENT = 6
_PARAMETER_INVALID = 1_100
_SHAPE_CODES = {_LITE_ILLEGAL_ARGUMENT, _PARAMETER_INVALID}

# What pymilvus says itself when it has no answer, and what a server says that is not up yet.
_NO_ANSWER_CODES = {1, 2}

_REFUSED = {
    grpc.StatusCode.UNAUTHENTICATED: "it refuses the token: see MILVUS_TOKEN",
    grpc.StatusCode.PERMISSION_DENIED: "it refuses the token: see MILVUS_TOKEN",
    grpc.StatusCode.UNIMPLEMENTED: "there is no Milvus 2.3 or later at that address",
}


class NoAnswerError(UnavailableError):
    """The server itself said nothing, or that it is not up yet; every other error is one that it answered."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """MisconfiguredError for what an operator must mend, UnavailableError for everything else."""
    try:
        yield
    except TimeoutError as error:
        raise NoAnswerError("milvus", "no answer in time") from error
    except (grpc.RpcError, OSError) as error:
        _raise_remedy(error)
        raise NoAnswerError("milvus", _one_line(error)) from error
    except MilvusException as error:
        _raise_remedy(error)
        if error.code == COLLECTION_NOT_FOUND:
            raise UnavailableError("milvus", "the collection is missing, a worker builds it again") from error
        kind = NoAnswerError if _is_no_answer(error) else UnavailableError
        raise kind("milvus", _one_line(error)) from error


def _raise_remedy(error: Exception) -> None:
    if remedy := _for_the_operator(error):
        raise MisconfiguredError(f"Milvus: {remedy}") from error


def _for_the_operator(error: Exception) -> str | None:
    # pymilvus hides the status of a failed connection attempt in the cause.
    status = _status(error) or _status(error.__cause__)
    if status in _REFUSED:
        return _REFUSED[status]
    if _is_of_the_address(error):  # in our own words: theirs repeat it, with the password in it
        return "its address is no URI like http://host:19530"
    if _lacks_the_database(error):
        return "there is no database of that name: see MILVUS_DATABASE"
    if isinstance(error, ParamError) or getattr(error, "code", None) in _SHAPE_CODES:
        return _one_line(error)
    return None


def _is_of_the_address(error: Exception) -> bool:
    if isinstance(error, ConnectionConfigException):
        return True
    return isinstance(error, ParamError) and str(error.message).lower().startswith("illegal uri")


def _lacks_the_database(error: Exception) -> bool:
    if not isinstance(error, MilvusException):
        return False
    # Milvus Lite, which has one database only, answers without a code of its own.
    by_text = re.match(r"database '.*' does not exist", str(error.message), re.DOTALL)
    return error.code == _DATABASE_NOT_FOUND or by_text is not None


def _is_no_answer(error: MilvusException) -> bool:
    # pymilvus puts a status of gRPC there as well.
    return not isinstance(error.code, int) or error.code in _NO_ANSWER_CODES


def _status(error: BaseException | None) -> grpc.StatusCode | None:
    if not isinstance(error, grpc.RpcError):
        return None
    status = error.code()
    return status if isinstance(status, grpc.StatusCode) else None


def _one_line(error: Exception) -> str:
    if isinstance(error, grpc.RpcError) and (status := _status(error)) is not None:
        return f"gRPC status {status.name}"
    message = str(error.message if isinstance(error, MilvusException) else error)
    if message.startswith("Fail connecting"):  # pymilvus does not tell a certificate from a server that is away
        return "no connection; with https://, its certificate may be the reason: see MILVUS_CA_FILE"
    return " ".join(message.split())[:200] or type(error).__name__
