"""`ladderbase run`: the whole product on this machine, until Ctrl-C."""

import asyncio
import json
import sys
from pathlib import Path

import click

from entrypoints.cli.options import json_option
from entrypoints.embedded.stack import EmbeddedStack, run


@click.command("run")
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, show_default=True, help="Where the API listens.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Where everything is kept; a second start goes on with it.",
)
@json_option
def command(*, port: int, data_dir: Path, as_json: bool) -> None:
    """Keep the embedded servers, the API and the worker up until Ctrl-C. Listens on loopback alone."""
    stack = EmbeddedStack(data_dir=data_dir, port=port)

    def announce(url: str) -> None:
        openapi = f"{url}/schema/openapi.json"
        if as_json:
            click.echo(json.dumps({"url": url, "openapi": openapi, "data_dir": str(data_dir)}, ensure_ascii=False))
            return
        click.echo(f"Ladderbase serves at {url} (OpenAPI: {openapi}); its data is in {data_dir}")

    sys.exit(asyncio.run(run(stack, on_ready=announce)))
