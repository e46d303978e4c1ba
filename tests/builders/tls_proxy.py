"""A certificate authority of the test's own, and a proxy that speaks TLS in front of a server that does not."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """`certificate` is what clients must trust, `server` the chain and key of a server at 127.0.0.1."""

    certificate: Path
    server: Path


def an_authority(folder: Path) -> Authority:
    """A new one, its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("the tests' own", root_key, issuer="the tests' own", signed_by=root_key, is_authority=True)
    server = _certificate("127.0.0.1", server_key, issuer="the tests' own", signed_by=root_key, is_authority=False)
    authority = Authority(certificate=folder / "ca.pem", server=folder / "server.pem")
    authority.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    authority.server.write_bytes(
        server.public_bytes(serialization.Encoding.PEM)
        + server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return authority


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: str,
    signed_by: ec.EllipticCurvePrivateKey,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(tz=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signed_by, hashes.SHA256())


@dataclass(slots=True, kw_only=True)
class TlsProxy:
    """`connections` counts those whose handshake went well."""

    host: str
    to_port: int
    port: int = 0
    connections: int = 0
    pumps: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on, both ways, until one side ends."""
        self.connections += 1
        back_reader, back_writer = await asyncio.open_connection(self.host, self.to_port)
        ways = (_pump(reader, back_writer), _pump(back_reader, writer))
        self.pumps |= {asyncio.create_task(way) for way in ways}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass  # one side is gone
    finally:
        writer.close()


@contextmanager
def tls_proxy(to: str, authority: Authority) -> Iterator[TlsProxy]:
    """A proxy before the server at that address, on an event loop of its own: some clients block theirs."""
    target = urlsplit(to)
    proxy = TlsProxy(host=target.hostname or "", to_port=target.port or 0)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.server)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        starting = asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
        listener = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        proxy.port = listener.sockets[0].getsockname()[1]
        yield proxy
        asyncio.run_coroutine_threadsafe(_end(listener, proxy), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(listener: asyncio.Server, proxy: TlsProxy) -> None:
    listener.close()
    for pump in proxy.pumps:
        pump.cancel()
    await asyncio.gather(*proxy.pumps, return_exceptions=True)
    await asyncio.sleep(0.05)
