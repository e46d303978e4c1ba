"""`ladderbase completion`: what a shell is to be told once, so that it completes the commands."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM, _VARIABLE = "ladderbase", "_LADDERBASE_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, /, *, shell: str) -> None:
    """Print the completion of SHELL: `eval "$(ladderbase completion bash)"` in ~/.bashrc, or likewise in ~/.zshrc.

    For fish: `ladderbase completion fish > ~/.config/fish/completions/ladderbase.fish`.
    """
    kind = get_completion_class(shell)
    if kind is None:  # click knows all of them
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source())
