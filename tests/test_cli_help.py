"""Help, examples, completion: all commands are walked, and held to what they say of themselves."""

import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from commands import TOP, run, spawn

from vault import __version__
from vault.cli import cli

HEAVY = {
    "sqlalchemy",
    "rich",
    "msgspec",
    "cryptography",
    "alembic",
    "presidio_analyzer",
    "spacy",
    "backports.zstd",
    "yaml",
}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())
        else:
            yield name, command


# -- help ------------------------------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("words", [["--help"], ["forget-user", "--help"], ["keys", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from vault.cli import cli\n"
        f"try: cli({words!r}, prog_name='vault')\n"
        f"except SystemExit as end: assert end.code == 0\n"
        f"print({sorted(HEAVY)!r} and sorted(set(sys.modules) & set({sorted(HEAVY)!r})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=TOP, capture_output=True, text=True)
    assert done.stderr == "[]\n"


@pytest.mark.wide
def test_help_takes_a_tenth_of_a_second() -> None:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    took = []
    for _ in range(5):
        before = used()
        assert spawn("--help").code == 0
        took.append(used() - before)
    assert (
        min(took) < 0.2
    )  # of the processor, whatever else the machine does; a slow one may take twice as long


ALL = [("", cli), *commands()]
every = pytest.mark.parametrize(("name", "command"), ALL, ids=[name or "vault" for name, _ in ALL])
TELLS_NO_FACTS = {"", "demo", "export", "daemon", "template systemd", "template dockerfile", "completion"}


@pytest.mark.parametrize("name", [name for name, _ in ALL])
def test_every_command_has_help_with_an_example_first(name: str) -> None:
    said = run(*name.split(), "--help")
    assert said.code == 0
    first, examples, *_ = said.out.split("\n\n")[1:]
    assert len(first.strip()) < (60 if name else 70)
    assert examples.startswith("Examples:\n")
    assert f"  vault {name}" in examples or name in {"", "completion"}
    assert "Options:" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())


@every
def test_every_option_and_argument_says_what_it_is(name: str, command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help[0].isupper() or parameter.help[0] == "-", parameter.help
            assert parameter.is_flag or parameter.metavar, parameter.name
    assert name in TELLS_NO_FACTS or any("--json" in one.opts for one in command.params)


@every
def test_every_choice_is_named_in_the_help(name: str, command: click.Command) -> None:
    shown = run(*name.split(), "--help").out
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice):
            assert all(re.search(rf"\b{choice}\b", shown) for choice in parameter.type.choices), (
                parameter.name
            )


def test_the_same_flag_is_the_same_everywhere() -> None:
    words: dict[str, set[tuple[str | None, bool]]] = defaultdict(set)
    for _, command in ALL:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                words[parameter.opts[-1]].add((parameter.metavar, parameter.is_flag))
    # What something comes from: a kind of source, or a file of users.
    assert words.pop("--from") == {("KIND", False), ("FILE", False)}
    assert {flag: found for flag, found in words.items() if len(found) > 1} == {}


def test_the_same_thing_is_called_the_same_everywhere() -> None:
    flags: dict[str, set[str]] = defaultdict(set)
    for _, command in ALL:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.metavar:
                flags[parameter.metavar].add(parameter.opts[-1])
    one_name = {"USER", "SESSION", "URI", "WHERE", "PUB", "AGE", "STORE", "FORMAT", "HOST:PORT", "TIME"}
    assert {word: flags[word] for word in one_name if word in flags and len(flags[word]) > 1} == {}
    arguments = {
        parameter.human_readable_name
        for _, command in ALL
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    }
    assert arguments == {
        "WHERE", "USER", "SESSION", "SOURCE", "ID", "DIRECTORY", "BACKUP", "FILE", "FILE...", "URI", "OLD",
        "NEW", "SHELL",
    }  # fmt: skip


# -- examples --------------------------------------------------------------------------------------------

OPERATORS = {"|", "||", "&&", ";", ">", "<", "(", ")", "<("}


def spoken(line: str) -> Iterator[list[str]]:
    """Give the words of each call of vault in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] | None = None
    skipping = False
    for token in [*lexer, ";"]:
        if set(token) <= set("|&;<>()"):
            if words is not None:
                yield words
            words, skipping = None, token in {"<", ">"}
        elif skipping:
            skipping = False
        elif words is not None:
            words.append(token)
        elif token == "vault":
            words = []


def examples() -> Iterator[str]:
    for _, command in ALL:
        text = "\n".join(getattr(command, "examples", ()))
        yield from text.replace("\\\n", "").splitlines()


@pytest.mark.parametrize("line", sorted(set(examples())))
def test_every_example_is_accepted(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calls = list(spoken(line))
    assert calls
    for words in calls:
        for word in words:  # what an example names, is there
            if re.fullmatch(r"[\w/]+\.(json|ya?ml|txt|checkpoint|pub)", word):
                path = tmp_path / word
                path.parent.mkdir(exist_ok=True)
                path.touch()
        parse(words)


def parse(words: list[str]) -> None:
    """Have click read a command line, down to the command; nothing is run."""
    with ExitStack() as opened:
        context = opened.enter_context(cli.make_context("vault", list(words)))
        command: click.Command = cli
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            assert found is not None
            command = found
            context = opened.enter_context(command.make_context(found.name, rest, parent=context))
        assert context.args == []


def test_an_example_that_is_wrong_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.UsageError):
        test_every_example_is_accepted("vault sessions --colour", tmp_path, monkeypatch)
    with pytest.raises(click.UsageError):
        test_every_example_is_accepted("cat x | vault hold add --user u-42", tmp_path, monkeypatch)


# -- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ("sess", "no such command 'sess'", "vault --help shows examples"),
        ("sessions --colour", "no such option '--colour'", "vault sessions --help shows examples"),
        (
            "sessions --vault x",
            "no such option '--vault'",
            "it stands before the command: vault --vault … sessions",
        ),
        ("show u-1", "missing argument 'SESSION'", "vault show --help shows examples"),
        ("keys rotat", "no such command 'rotat'. Did you mean 'rotate'?", "vault keys --help shows examples"),
    ],
)
def test_a_usage_error_reads_like_every_other_error(words: str, error: str, hint: str) -> None:
    said = run(*words.split())
    assert (said.code, said.out, said.err) == (2, "", f"error: {error}\nhint: {hint}\n")


def test_help_names_each_command_in_one_whole_line() -> None:
    listed = run("--help").out.partition("Commands:\n")[2]
    assert len(listed.splitlines()) == len(cli.list_commands(click.Context(cli)))
    assert "..." not in listed


@pytest.mark.parametrize("words", ["--help", "init --help", "keys move --help"])
def test_help_says_how_a_root_is_put_under_a_passphrase(words: str) -> None:
    assert "?passphrase-file=/path" in run(*words.split()).out


def test_version() -> None:
    assert run("--version").out == f"transcript-vault, version {__version__}\n"


# -- completion ------------------------------------------------------------------------------------------


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with the command in it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "vault"
    code = "import sys; sys.argv[0] = 'vault'; from vault.__main__ import main; main()"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
    program.chmod(0o755)
    return directory


def in_shell(programs: Path, shell: str, script: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run(
        [shell, "-c", script],
        check=False,
        cwd=programs.parent,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(TOP),
            "HOME": str(programs),
        },
    )
    assert done.returncode == 0, done
    return done.stdout


def completed(programs: Path, *words: str) -> set[str]:
    """What bash would offer for the last word."""
    line = " ".join(shlex.quote(word) for word in words)
    script = f"""
        source <(vault completion bash)
        complete -p vault >&2 || exit 1
        COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
        handler=$(complete -p vault | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        "$handler" vault "{words[-1]}" "{words[-2]}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(in_shell(programs, "bash", script).split())


@pytest.mark.wide
def test_bash_completes_commands_options_and_choices(programs: Path) -> None:
    assert completed(programs, "vault", "forget-") == {"forget-user", "forget-session"}
    assert completed(programs, "vault", "keys", "ro") == {"rotate"}
    assert completed(programs, "vault", "keys", "rotate", "--re") == {"--reason"}
    assert completed(programs, "vault", "export", "--format", "js") == {"json", "jsonl"}
    assert completed(programs, "vault", "completion", "z") == {"zsh"}


def test_zsh_takes_the_completion(programs: Path) -> None:
    script = "autoload -Uz compinit && compinit -u && source <(vault completion zsh) && print $_comps[vault]"
    assert in_shell(programs, "zsh", script).strip() == "_vault_completion"


def test_fish_completes_commands(programs: Path) -> None:
    script = 'vault completion fish | source; complete -C "vault forget-"'
    assert {line.split("\t")[0] for line in in_shell(programs, "fish", script).splitlines()} == {
        "forget-user", "forget-session"
    }  # fmt: skip


@pytest.mark.wide
def test_the_other_name_of_the_program_is_completed_too() -> None:
    code = "import sys; sys.argv[0] = 'transcript-vault'; from vault.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "completion", "bash"],
        check=True,
        cwd=TOP,
        capture_output=True,
        text=True,
    )
    assert "_TRANSCRIPT_VAULT_COMPLETE=bash_complete" in done.stdout
    assert "-F _transcript_vault_completion transcript-vault" in done.stdout
