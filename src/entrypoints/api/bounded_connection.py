"""A connection that nobody can hold for nothing: whoever sends a head, or takes an answer, byte by byte is cut off.

Uvicorn bounds the time between two requests alone. It is h11's protocol here wherever the product runs: uvicorn would
take httptools where that happens to be installed, which in the image it is not.
"""

import asyncio
import logging
import uuid
from typing import cast

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from entrypoints.api.answer_headers import complete_headers
from entrypoints.api.problems import PROBLEM_MEDIA_TYPE, problem_body

REQUEST_S = 30.0
"""How long a connection may be there without a whole head of a request, or with the rest of a body nobody reads."""
STALL_S = 60.0
"""How long a client may take to read the next 48 KiB or so of its answer."""

_log = logging.getLogger(__name__)


class BoundedConnection(H11Protocol):
    """Two clocks: one runs while no request is being answered, the other while an answer does not flow."""

    _request_clock: asyncio.TimerHandle | None = None
    _answer_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A connection has begun."""
        super().connection_made(transport)
        self._request_clock = self.loop.call_later(REQUEST_S, self._give_up_request)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body that is read, or of one that nobody reads any more."""
        super().data_received(data)
        if self._is_answering:
            self._stop_request_clock()
        elif self._request_clock is None:
            self._request_clock = self.loop.call_later(REQUEST_S, self._give_up_request)

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._answer_clock = self._answer_clock or self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read most of what was sent."""
        super().resume_writing()
        self._stop_answer_clock()

    def timeout_keep_alive_handler(self) -> None:
        """No request came after the last one."""
        super().timeout_keep_alive_handler()
        self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._stop_request_clock()
        super().connection_lost(exc)
        self._stop_answer_clock()

    def send_400_response(self, msg: str) -> None:
        """A head that is no HTTP gets a problem like all others."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:  # else there is an answer under way already
            self._answer_alone("request_invalid", msg)
        self._hang_up()

    @property
    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request, whatever is declared
        return cycle is not None and not cycle.response_complete

    def _stop_request_clock(self) -> None:
        if self._request_clock:
            self._request_clock.cancel()
            self._request_clock = None

    def _stop_answer_clock(self) -> None:
        if self._answer_clock:
            self._answer_clock.cancel()
            self._answer_clock = None

    def _give_up_request(self) -> None:
        self._request_clock = None
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self._answer_alone("request_timeout", f"no whole head of a request came within {REQUEST_S:.0f} s")
        self._hang_up()

    def _hang_up(self) -> None:
        """What was written may be read for a while yet; a transport alone would wait for it for ever."""
        self.transport.close()
        self._answer_clock = self._answer_clock or self.loop.call_later(STALL_S, self.transport.abort)

    def _answer_alone(self, code: str, detail: str) -> None:
        """Answer without the application, which never got to hear of the request."""
        request_id = uuid.uuid4().hex
        _log.info("refused a connection code=%s request_id=%s", code, request_id)
        body = problem_body(code, detail, request_id=request_id)
        headers = [
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode()),
        ]
        for event in (
            h11.Response(status_code=body.status, headers=complete_headers(headers)),
            h11.Data(data=msgspec.json.encode(body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
