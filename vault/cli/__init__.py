"""The command line: `vault --help`. One file for each group of commands.

Nothing heavy is imported here or at the top of a command's file: `vault --help` answers in a tenth of a
second, and so does completion.
"""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from vault.cli.ending import end, hush, tell_notes
from vault.cli.given import Given
from vault.cli.talking import Group
from vault.version import __version__

_COMMANDS = {
    "demo": "vault.cli.demo",
    "init": "vault.cli.init",
    "doctor": "vault.cli.doctor",
    "sessions": "vault.cli.reading",
    "show": "vault.cli.reading",
    "redact": "vault.cli.redacting",
    "export": "vault.cli.exporting",
    "import": "vault.cli.importing",
    "forget-user": "vault.cli.forgetting",
    "forget-session": "vault.cli.forgetting",
    "hold": "vault.cli.holds",
    "purge": "vault.cli.purging",
    "backup": "vault.cli.copying",
    "restore": "vault.cli.copying",
    "policy": "vault.cli.policies",
    "report": "vault.cli.reporting",
    "daemon": "vault.cli.daemon",
    "template": "vault.cli.templates",
    "keys": "vault.cli.keys",
    "log": "vault.cli.logs",
    "certificate": "vault.cli.certificates",
    "db": "vault.cli.db",
    "completion": "vault.cli.completion",
}


def _attribute(name: str) -> str:
    """Give what a command is called in its file: `import` is a word of Python's."""
    plain = name.replace("-", "_")
    return f"{plain}_" if iskeyword(plain) else plain


class Commands(Group):
    """All commands: one is imported when it is named, and the one place where any of them ends."""

    @property
    def own(self) -> set[str]:
        """Give the options that stand before every command."""
        return {word for option in self.params for word in option.opts}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Give the names in the order of a first visit."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = getattr(import_module(_COMMANDS[cmd_name]), _attribute(cmd_name))
        return found

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (click's signature)
        """Run the command line; what is raised becomes a message and an exit code, never a traceback."""
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except Exception as error:  # noqa: BLE001 (the last one to see it: help and completion fail here)
            sys.exit(end(error, debug=False))
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's signature)
        """Run a command; here every one of them ends."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            code = 141
            hush()
        except KeyboardInterrupt as error:
            code = 130
            click.echo("\ninterrupted", err=True)
            tell_notes(error)
        except Exception as error:  # noqa: BLE001 (the last one to see it)
            command = f"vault {ctx.invoked_subcommand}" if ctx.invoked_subcommand else "vault"
            code = end(error, debug=(ctx.find_object(Given) or Given()).debug, command=command)
            try:
                sys.stdout.flush()
            except OSError:
                hush()
        raise click.exceptions.Exit(code)


@click.group(
    "vault",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        "vault demo",
        "vault init chat-vault",
        "vault --vault chat-vault sessions",
        "vault --vault chat-vault forget-user u-42 --dry-run",
    ),
)
@click.option(
    "--vault", "where", metavar="WHERE", help="The vault's directory, or the URL of its transcripts."
)
@click.option("--keyring", metavar="URL", help="The database of the keyring.")
@click.option(
    "--root",
    metavar="URI",
    help="The root: file:/a/root.key,/b/root.key and, where it is under a passphrase, ?passphrase-file=/path"
    " behind it.",
)
@click.option("--horizon", metavar="TIME", help="How old a keyring backup may be and still be restored: 7d")
@click.option("--debug", is_flag=True, envvar="TRANSCRIPT_VAULT_DEBUG", help="Show tracebacks.")
@click.version_option(__version__, package_name="transcript-vault", prog_name="transcript-vault")
@click.pass_context
def cli(
    context: click.Context,
    where: str | None,
    keyring: str | None,
    root: str | None,
    horizon: str | None,
    debug: bool,
) -> None:
    """An encrypted transcript vault, whose erasures reach the backups.

    Options come before TRANSCRIPT_VAULT_VAULT, _KEYRING, _ROOT and _HORIZON, those before vault.toml. Where
    nothing names a vault, it is the current directory if that holds a vault.toml.

    Exit codes: 0 done, 1 failed, 2 usage, 3 integrity, 4 root or database unavailable, 5 held or guarded.
    """
    context.obj = Given(where, keyring, root, horizon, debug)
    if not debug:
        _hush_drivers()


def _hush_drivers() -> None:
    """Keep to stderr what is said here: of a connection that was cut, libraries log whole tracebacks."""
    import logging

    for name in ("sqlalchemy", "psycopg"):
        if not logging.getLogger(name).handlers:
            logging.getLogger(name).addHandler(logging.NullHandler())
