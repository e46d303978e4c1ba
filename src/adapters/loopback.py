"""Which hosts are this machine, before which no proxy stands."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a name or a literal address, an IPv6 one without its brackets, is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
