"""Which hosts are this machine, before which no proxy stands."""

_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a name or a literal address, an IPv6 one without its brackets, is this machine's own.

    Not all of 127.0.0.0/8: whoever takes another address of it has a reason to tell it from the usual one.
    """
    return host in _HOSTS
