"""What Milvus, gRPC and pymilvus raise, in the words of the core, and without what nobody may read."""

from pathlib import Path

import grpc
import pytest
from pymilvus.exceptions import ConnectionConfigException, MilvusException, ParamError

from adapters.milvus.connection import MilvusConnection
from adapters.milvus.errors import NoAnswerError, translated_errors
from domain.errors import LadderbaseError, MisconfiguredError, UnavailableError


class Rpc(grpc.RpcError):  # type: ignore[misc] # grpc has no types
    """As gRPC raises it: its text holds the address, and whatever the server said."""

    def __init__(self, status: object) -> None:
        super().__init__("debug_error_string = ... authorization: S3cret")
        self._status = status

    def code(self) -> object:
        return self._status


def translated(error: Exception) -> LadderbaseError:
    with pytest.raises(LadderbaseError) as raised, translated_errors():
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def unconnected(cause: Exception) -> MilvusException:
    """As pymilvus raises it when a connection cannot be made."""
    error = MilvusException(code=2, message="Fail connecting to server on 127.0.0.1:19530")
    error.__cause__ = cause
    return error


def test_what_answers_passes() -> None:
    with translated_errors():
        pass


@pytest.mark.parametrize("bug", [KeyError("entity"), ValueError("one vector"), ZeroDivisionError()])
def test_a_bug_of_ours_stays_one(bug: Exception) -> None:
    with pytest.raises(type(bug)), translated_errors():
        raise bug


def test_an_error_of_the_core_passes_as_it_is() -> None:
    error = UnavailableError("milvus", "3 of 4 rows were acknowledged")
    with pytest.raises(UnavailableError) as raised, translated_errors():
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionRefusedError(111, "Connection refused"),
        Rpc(grpc.StatusCode.UNAVAILABLE),
        Rpc(grpc.StatusCode.DEADLINE_EXCEEDED),
        MilvusException(code=1, message="service not ready"),
        MilvusException(code=2, message="Fail connecting to server on 127.0.0.1:19530"),
        MilvusException(code=grpc.StatusCode.DEADLINE_EXCEEDED, message="Deadline Exceeded"),
        unconnected(Rpc(grpc.StatusCode.UNAVAILABLE)),
    ],
)
def test_silence_is_no_answer(error: Exception) -> None:
    assert isinstance(translated(error), NoAnswerError)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (100, "collection not found"),
        (101, "collection not loaded"),
        (700, "index not found"),
        (8, "rate limit"),
        (65_535, "?"),
    ],
)
def test_an_error_that_the_server_answered_is_no_silence(code: int, message: str) -> None:
    found = translated(MilvusException(code=code, message=message))
    assert isinstance(found, UnavailableError)
    assert not isinstance(found, NoAnswerError)


def test_a_lost_collection_says_who_brings_it_back() -> None:
    found = translated(MilvusException(code=100, message="collection not found[database=default][collection=x]"))
    assert str(found) == "milvus is unavailable: the collection is missing, a worker builds it again"


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
def test_a_refused_token_is_a_misconfiguration_wherever_the_status_stands(status: grpc.StatusCode) -> None:
    for error in (Rpc(status), unconnected(Rpc(status))):
        found = translated(error)
        assert isinstance(found, MisconfiguredError)
        assert str(found) == "Milvus: it refuses the token: see MILVUS_TOKEN"


def test_a_server_of_another_kind_is_a_misconfiguration() -> None:
    found = translated(Rpc(grpc.StatusCode.UNIMPLEMENTED))
    assert isinstance(found, MisconfiguredError)
    assert "no Milvus 2.3 or later" in str(found)


@pytest.mark.parametrize(
    "error",
    [
        MilvusException(code=800, message="database not found[database=plant]"),
        MilvusException(code=1, message="database 'plant' does not exist"),
        MilvusException(code=1, message="database 'two\nlines' does not exist"),
    ],
)
def test_a_database_that_is_not_there_is_a_misconfiguration_that_names_the_setting(error: Exception) -> None:
    found = translated(error)
    assert isinstance(found, MisconfiguredError)
    assert str(found) == "Milvus: there is no database of that name: see MILVUS_DATABASE"


def test_another_thing_that_does_not_exist_is_not_taken_for_the_database() -> None:
    found = translated(MilvusException(code=65_535, message="alias of database 'plant' does not exist"))
    assert isinstance(found, UnavailableError)


@pytest.mark.parametrize(
    "error",
    [
        MilvusException(code=1_100, message="the dim (4) of field data(dense)\n  is not equal to schema dim (8)"),
        MilvusException(code=6, message="the dim (4) of field data(dense)\n  is not equal to schema dim (8)"),
        ParamError(message="the dim (4) of field data(dense) is not equal to schema dim (8)"),
    ],
)
def test_values_of_another_shape_are_a_misconfiguration_in_one_line(error: Exception) -> None:
    found = translated(error)
    assert isinstance(found, MisconfiguredError)
    assert str(found) == "Milvus: the dim (4) of field data(dense) is not equal to schema dim (8)"


def test_a_long_answer_is_cut_to_one_short_line() -> None:
    found = translated(MilvusException(code=65_535, message="stack trace\n" * 100))
    assert len(str(found)) < 250
    assert "\n" not in str(found)


def test_an_error_that_says_nothing_is_named_by_its_kind() -> None:
    assert str(translated(MilvusException(code=65_535, message=""))) == "milvus is unavailable: MilvusException"
    assert str(translated(OSError())) == "milvus is unavailable: OSError"


def test_a_status_is_told_by_its_name_and_nothing_else_of_it() -> None:
    assert str(translated(Rpc(grpc.StatusCode.UNAVAILABLE))) == "milvus is unavailable: gRPC status UNAVAILABLE"


def test_an_rpc_error_without_a_status_is_no_answer() -> None:
    assert isinstance(translated(Rpc(None)), NoAnswerError)


def test_an_address_that_is_no_uri_is_not_repeated() -> None:
    found = translated(ConnectionConfigException(message="uri: ftp://root:S3cret@milvus is illegal"))
    assert isinstance(found, MisconfiguredError)
    assert "S3cret" not in str(found)
    assert "http://host:19530" in str(found)


def test_the_uri_of_a_parameter_error_is_not_repeated() -> None:
    found = translated(ParamError(message="Illegal uri: [http://root:S3cret@milvus:x], a port is a number"))
    assert isinstance(found, MisconfiguredError)
    assert "S3cret" not in str(found)


@pytest.mark.parametrize(
    "uri",
    [
        "http://root:S3cret@milvus:port",
        "http://root:S3cret@milvus:99999",
        "http://root:S3cret@[::1",
        "http://root:S3#cret@milvus:19530",
    ],
)
def test_an_address_that_cannot_be_taken_apart_is_one_line_that_names_the_setting(uri: str) -> None:
    with pytest.raises(MisconfiguredError, match="MILVUS_URI") as raised:
        MilvusConnection(uri, token="", database="")
    assert "S3" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_no_connection_says_what_pymilvus_does_not_and_repeats_no_address() -> None:
    found = translated(unconnected(Rpc(grpc.StatusCode.UNAVAILABLE)))
    assert str(found).startswith("milvus is unavailable: no connection; with https://")
    assert "127.0.0.1" not in str(found)


@pytest.mark.parametrize(("uri", "told"), [("http://milvus:19530", "https://"), ("https://milvus:443", "PEM")])
@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_authorities_that_cannot_help_is_a_misconfiguration(
    tmp_path: Path, uri: str, told: str, content: bytes | None
) -> None:
    ca_file = tmp_path / "S3cret.pem"
    if content is not None:
        ca_file.write_bytes(content)
    with pytest.raises(MisconfiguredError, match="the setting MILVUS_CA_FILE ") as raised:
        MilvusConnection(uri, token="", database="", ca_file=str(ca_file))
    assert told in str(raised.value)
    assert "S3cret" not in str(raised.value)
