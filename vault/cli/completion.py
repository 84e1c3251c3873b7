"""`completion`: what makes a shell complete commands, options and files."""

from __future__ import annotations

import click

from vault.cli.talking import Command

_NAMES = ("vault", "transcript-vault")


@click.command(
    "completion",
    cls=Command,
    examples=(
        "source <(vault completion bash)",
        "vault completion bash > ~/.local/share/bash-completion/completions/vault",
        'vault completion zsh > "${fpath[1]}/_vault"',
        "vault completion fish > ~/.config/fish/completions/vault.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of a shell.

    Said once in the shell it holds for that shell; in the file of the second line and those below, for all
    that are started from then on. It completes the name by which it was called: vault or transcript-vault.
    """
    from click.shell_completion import get_completion_class

    root = context.find_root()
    name = root.info_name if root.info_name in _NAMES else _NAMES[0]
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
    found = get_completion_class(shell)
    if found is None:
        raise RuntimeError(shell)
    click.echo(found(root.command, {}, name, variable).source())
