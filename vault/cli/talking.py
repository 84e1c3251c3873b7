"""How all commands talk: stdout carries data, stderr messages; help, data, questions."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from vault.errors import ConfigError, UsageError

# What drives a terminal, or hides or reorders what it shows: controls but \t and \n, marks of direction,
# invisible format characters, tags, lone surrogates.
_DRIVES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

STDOUT = "-"
_ID = re.compile("[0-9a-f]{32}")
_COMMAND = re.compile(r"hint: .*(vault |--\w)")

# Those of the eight that can be read on a dark and on a light ground; the rest is told by bold and dim.
Colour = Literal["red", "magenta"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
actor = click.option("--actor", metavar="NAME", help="Who asked; by default your login name.")
policy_files = partial(  # each command says by `help` what it does with them
    click.option, "--policy", "policies", multiple=True, metavar="FILE", type=click.Path(path_type=Path)
)
dry = click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")


# -- help ------------------------------------------------------------------------------------------------


class Command(click.Command):
    """A command whose help shows examples right after its first line."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 (click's)
        self.examples = examples
        super().__init__(*args, **kwargs)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the first line, the examples, and then the rest."""
        _write_help(self.help or "", self.examples, formatter)


class Group(click.Group):
    """A group whose help shows examples right after its first line."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 (click's)
        self.examples = examples
        super().__init__(*args, **kwargs)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the first line, the examples, and then the rest."""
        _write_help(self.help or "", self.examples, formatter)


def _write_help(text: str, examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    import inspect

    first, _, rest = inspect.cleandoc(text).partition("\n\n")
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(first)
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
    if rest:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(rest)


# -- stdout and stderr -----------------------------------------------------------------------------------


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    click.echo(fitting(harmless(text), err=True), err=True)


def fitting(text: str, *, err: bool = False) -> str:
    """Break a text for a terminal between words; a hint that holds a command stays whole, to be copied."""
    if not (sys.stderr if err else sys.stdout).isatty():
        return text
    import shutil
    import textwrap

    width = max(20, shutil.get_terminal_size().columns)
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(
        line if len(line) <= width or _COMMAND.match(line) else wrapper.fill(line)
        for line in text.split("\n")
    )


def put(text: str = "") -> None:
    """Print a line for people, on stdout."""
    click.echo(fitting(harmless(text)))


def put_json(value: object, *, in_one_line: bool = False) -> None:
    """Print a JSON document; what would drive a terminal is escaped, which changes no value."""
    import json

    import msgspec

    written = msgspec.json.encode(value)
    text = (written if in_one_line else msgspec.json.format(written, indent=2)).decode()
    click.echo(_DRIVES.sub(lambda found: json.dumps(found[0])[1:-1], text))


def harmless(text: str) -> str:
    r"""Make characters that drive a terminal visible: \x1b for ESC."""
    return _DRIVES.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return (
        character.encode("ascii", "backslashreplace").decode()
        if character > "\x7f"
        else repr(character)[1:-1]
    )


def on_terminal() -> bool:
    """Say whether a person reads stdout."""
    return sys.stdout.isatty()


def paint(
    text: str, *, err: bool = False, fg: Colour | None = None, bold: bool = False, dim: bool = False
) -> str:
    """Make a text harmless, and colour it where a person reads it; print it with click.echo."""
    if not (sys.stderr if err else sys.stdout).isatty() or not _wants_style():
        return harmless(text)
    # Only what is asked for: click writes a code for each style that is False, too.
    return click.style(harmless(text), fg=fg, bold=bold or None, dim=dim or None)


def _wants_style() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def put_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on a terminal; in a pipe a line for each row, its values apart by tabs, as they are."""
    if not on_terminal():
        for row in rows:
            click.echo("\t".join(_cell(value) for value in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    listed = list(rows)
    for place, column in enumerate(columns):
        counts = bool(listed) and all(isinstance(row[place], int) for row in listed)
        whole = any(_ID.fullmatch(_cell(row[place])) for row in listed)  # to be copied from here
        justify: Literal["left", "right"] = "right" if counts else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=whole)
    for row in listed:
        table.add_row(*(Text(harmless(_cell(value)).replace("\n", "\\n")) for value in row))
    Console(highlight=False, color_system="auto" if _wants_style() else None).print(table)


def put_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values below each other."""
    listed = [(name, _cell(value)) for name, value in facts]
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        put_beside(f"  {paint(name.ljust(width), dim=True)}  ", width + 4, value)


def put_beside(head: str, width: int, text: str) -> None:
    """Print a text beside its painted head; on a terminal its lines stay beside it."""
    lines = [harmless(text)]
    if on_terminal():
        import shutil
        import textwrap

        room = max(20, shutil.get_terminal_size().columns - width)
        lines = textwrap.wrap(lines[0], room, break_long_words=False, break_on_hyphens=False) or [""]
    click.echo(head + f"\n{'':{width}}".join(lines))


def _cell(value: object) -> str:
    return moment(value) if isinstance(value, datetime) else "" if value is None else str(value)


def moment(at: datetime) -> str:
    """Show a time: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def counted(number: int, noun: str, many: str = "") -> str:
    """Count something in words: 1 message, 2 messages, 2 entries."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def _as_json(document: object) -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


@contextmanager
def new_file(
    path: Path | None, encode: Callable[[object], bytes] = _as_json, *, or_stdout: bool = False
) -> Iterator[Callable[[object], None]]:
    """Give what writes a document, by default JSON, to a new file; the name is taken before all else.

    `-` is stdout, where nothing else comes to that.
    """
    if path is None:
        yield lambda _document: None
        return
    if str(path) == STDOUT:
        if not or_stdout:
            raise UsageError("this takes the name of a new file", hint="--json prints to stdout")
        yield lambda document: click.echo(encode(document), nl=False)
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConfigError(f"there is a file at {path} already", hint="name a new one") from None
    written = False

    def write(document: object) -> None:
        nonlocal written
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(encode(document))
        os.fsync(handle)
        written = True

    try:
        yield write
    finally:
        os.close(handle)
        if not written:
            path.unlink(missing_ok=True)


# -- asking ----------------------------------------------------------------------------------------------


def check_confirm(name: str, confirm: str | None) -> None:
    """Refuse a `--confirm` that names something else, and a missing one where nobody can be asked."""
    if confirm is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "this destroys, and there is no terminal to ask on",
            hint=f"name what goes: --confirm {_quoted(name)}   (--dry-run tells more)",
        )
    if confirm not in {None, name}:
        raise UsageError(
            "--confirm names something else; nothing was changed", hint=f"--confirm {_quoted(name)}"
        )


def ask_confirm(what: str, name: str, confirm: str | None) -> None:
    """Say what is about to happen, and have its name typed where `--confirm` did not give it."""
    check_confirm(name, confirm)
    if confirm is None:
        say(what)
        click.echo(f"type {harmless(name)} to go on: ", nl=False, err=True)
        if sys.stdin.readline().rstrip("\r\n") != name:
            raise UsageError(
                "what was typed is something else; nothing was changed",
                hint=f"type it letter for letter, or give it: --confirm {_quoted(name)}",
            )


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
