"""`ladderbase mcp`: what an assistant may ask, over stdio or HTTP; it speaks to the service at LADDERBASE_URL."""

import asyncio
from typing import Literal

import click
import httpx

from entrypoints.cli.options import DEFAULT_URL, api_key, spoken
from entrypoints.cli.service import connected

_MISSING = "the MCP SDK is not installed: pip install 'ladderbase[mcp]'"


@click.command("mcp")
@click.option("--transport", type=click.Choice(["stdio", "http"]), default="stdio", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen, with --transport http.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8_001, show_default=True, help="As above.")
@click.option(
    "--url", envvar="LADDERBASE_URL", default=DEFAULT_URL, show_default=True, show_envvar=True, help="The service."
)
@click.pass_obj
def command(
    upstream: httpx.AsyncBaseTransport | None, /, *, transport: Literal["stdio", "http"], host: str, port: int, url: str
) -> None:
    """Let an assistant ask the service: tools search, where_used, get_rung and get_program_tree.

    LADDERBASE_API_KEY is sent with each request to the service. Over HTTP nobody is asked who they are: whoever reaches
    the port asks with that key.
    """
    try:
        from entrypoints.mcp_server import mcp_server, serve  # noqa: PLC0415 - an extra that others do without
    except ModuleNotFoundError as error:
        raise click.ClickException(_MISSING) from error

    async def run() -> None:
        async with connected(url, upstream, api_key=api_key(), language=spoken()) as service:
            await serve(mcp_server(service, host=host, port=port), transport)

    asyncio.run(run())
