"""Ports of the loopback interface."""

import random
import socket

from entrypoints.embedded.component import StartError

LOOPBACK = "127.0.0.1"

# Below the ports that systems give to outgoing connections. A client that hammers a server which is just
# being restarted would else sooner or later be given the server's own port, and keep it from coming back.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on now. Somebody else may still be faster: be ready to choose again."""
    chooser = random.SystemRandom()
    return next(port for port in iter(lambda: chooser.choice(_RANGE), None) if not problem_with(port))


def require_usable(port: int) -> None:
    """Raises StartError where no server could listen on the port now.

    Asked before a start: once somebody else listens there, an answer on the port proves nothing.
    """
    if problem := problem_with(port):
        raise StartError(f"port {port} cannot be used: {problem}")


def problem_with(port: int) -> str:
    """Why no server could listen on the port now; empty where one could."""
    with socket.socket() as probe:
        # As servers do: connections of the last run that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return ""
