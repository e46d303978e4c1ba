"""HTTP as uvicorn reads it with h11, and besides: what is no HTTP gets a problem too, and nobody drips for ever.

Always h11: uvicorn would take another parser where it happens to be installed, and parsers differ about bad requests.
"""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from entrypoints.api.answer_headers import complete_headers
from entrypoints.api.codes import REQUESTS
from entrypoints.api.problems import PROBLEM_MEDIA_TYPE, problem_of

PATIENCE_S = 30.0
STALL_S = 60.0
"""How long a client may take to read the next 48 KiB or so of its answer."""


class ProblemProtocol(H11Protocol):
    """One connection.

    It is closed where a head takes longer than `patience_s` from its first byte to its last, and where a client goes
    on sending a body for so long after it was answered; cut off where a client takes longer than `stall_s` to read.
    """

    patience_s = PATIENCE_S
    stall_s = STALL_S
    _timer: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn narrows asyncio's own type
        """Wait for the first head."""
        super().connection_made(transport)
        self._start(self._give_up)

    def data_received(self, data: bytes) -> None:
        """Take a piece, and wait for the rest where it ends within a head."""
        was_within = self.conn.their_state
        super().data_received(data)
        is_within = self.conn.their_state
        if (is_within is h11.IDLE) != (was_within is h11.IDLE):
            self._stop()  # a head is complete, or a body
        if is_within is h11.IDLE and self.conn.trailing_data[0]:
            self._start(self._give_up)

    def on_response_complete(self) -> None:
        """Wait, but not for ever, for the rest of a body that was answered before it had come."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._start(self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop()
        super().connection_lost(exc)
        self._flow()

    def pause_writing(self) -> None:
        """Wait for a client that does not read as fast as it is answered."""
        super().pause_writing()
        self._stall = self._stall or self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read most of what was sent."""
        super().resume_writing()
        self._flow()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words name its library
        """Answer what is no HTTP."""
        self._refuse("request_invalid", "the bytes are no HTTP request")

    def _start(self, act: Callable[[], None]) -> None:
        if self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self.patience_s, act)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flow(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _give_up(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse("request_timeout", f"no complete head of a request came within {self.patience_s:.0f} s")
        else:
            self.transport.close()  # nothing came: there is nobody to answer

    def _refuse(self, code: str, detail: str) -> None:
        """Answer, unless an answer is under way already, and close."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            request_id = uuid.uuid4().hex
            problem = problem_of(code, *REQUESTS[code], detail=detail, request_id=request_id)
            self._send(problem.status, request_id, msgspec.json.encode(problem))
        self.transport.close()

    def _send(self, status: int, request_id: str, body: bytes) -> None:
        headers = [
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"content-language", b"en"),  # what was asked for cannot be known
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        answer = h11.Response(status_code=status, headers=complete_headers(headers))
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
