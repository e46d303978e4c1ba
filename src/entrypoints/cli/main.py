"""The `ladderbase` command. Every subcommand is a module of its own, imported when it is asked for."""

from collections.abc import Mapping
from importlib import import_module

import click

from entrypoints.cli.exit_codes import INTERRUPTED

_COMMANDS: Mapping[str, str] = {
    "attach": "entrypoints.cli.attach",
    "audit": "entrypoints.cli.audit",
    "completion": "entrypoints.cli.completion",
    "demo": "entrypoints.cli.demo",
    "doctor": "entrypoints.cli.doctor",
    "download": "entrypoints.cli.download",
    "gc": "entrypoints.cli.gc",
    "keys": "entrypoints.cli.keys",
    "ls": "entrypoints.cli.ls",
    "mcp": "entrypoints.cli.mcp",
    "migrate": "entrypoints.cli.migrate",
    "reindex": "entrypoints.cli.reindex",
    "retry": "entrypoints.cli.retry",
    "rm": "entrypoints.cli.rm",
    "run": "entrypoints.cli.run",
    "search": "entrypoints.cli.search",
    "show": "entrypoints.cli.show",
    "status": "entrypoints.cli.status",
    "tree": "entrypoints.cli.tree",
    "upload": "entrypoints.cli.upload",
    "webhooks": "entrypoints.cli.webhooks",
    "where-used": "entrypoints.cli.where_used",
}


class _Commands(click.Group):
    """Imports nothing but what runs: `migrate` starts without a terminal library, `upload` without a database."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(_COMMANDS[cmd_name]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name]}.command is no command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Whatever runs, Ctrl-C ends it with the exit code that shells know."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit codes: 0 done, 1 refused, nothing found or a fault, 2 wrong usage, 3 no service, 4 documents failed, "
    "5 nobody waits any longer, 130 interrupted.",
)
@click.version_option(package_name="ladderbase")
def main() -> None:
    """Register PLC ladder programs and find their rungs."""


if __name__ == "__main__":
    main(prog_name="ladderbase")
