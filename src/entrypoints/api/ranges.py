"""Ranges of bytes (RFC 9110, 14): one at a time. Whoever asks for several, or unreadably, is sent everything."""

import re
from dataclasses import dataclass

from domain.told import told
from entrypoints.api.refusals import RefusedRequestError
from entrypoints.api.request_body import ApiRequest

ACCEPT_RANGES = {"Accept-Ranges": "bytes"}
_ONE_RANGE = re.compile(
    r"bytes[ \t]*=[ \t]*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})[ \t]*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """The bytes [start, stop) of `size_bytes`."""

    start: int
    stop: int
    size_bytes: int

    @property
    def headers(self) -> dict[str, str]:
        """What a 206 says of them."""
        return {
            "Content-Range": f"bytes {self.start}-{self.stop - 1}/{self.size_bytes}",
            "Content-Length": str(self.stop - self.start),
        }


def wanted_range(request: ApiRequest, *, tag: str, size_bytes: int) -> ByteRange | None:
    """The range that is asked for; None where everything is to be sent.

    That is so, too, where If-Range names another state than the present one. Raises RefusedRequestError (416) for a
    range that begins behind the end.
    """
    sent = request.headers.getall("range", [])
    match = _ONE_RANGE.fullmatch(sent[0]) if len(sent) == 1 else None
    if match is None or request.headers.get("if-range", tag).strip() != tag:
        return None
    first, last = match["first"], match["last"]
    if not first:
        return _suffix(int(last), size_bytes) if last else None
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        raise _behind_the_end(size_bytes)
    stop = min(int(last) + 1, size_bytes) if last else size_bytes
    return ByteRange(start=int(first), stop=stop, size_bytes=size_bytes)


def _suffix(length: int, size_bytes: int) -> ByteRange:
    if not length or not size_bytes:
        raise _behind_the_end(size_bytes)
    return ByteRange(start=max(0, size_bytes - length), stop=size_bytes, size_bytes=size_bytes)


def _behind_the_end(size_bytes: int) -> RefusedRequestError:
    detail = told("the document has {size:,} bytes: the range lies behind its end", size=size_bytes)
    headers = {"Content-Range": f"bytes */{size_bytes}", **ACCEPT_RANGES}
    return RefusedRequestError("range_not_satisfiable", detail, headers=headers)
