"""`policy`: check and explain retention policies, and tell editors what they look like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vault.cli.ending import end
from vault.cli.given import Given, pass_given
from vault.cli.talking import (
    Group,
    as_json,
    counted,
    moment,
    on_terminal,
    paint,
    policy_files,
    put_beside,
    put_json,
    put_table,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.errors import PolicyError
    from vault.retention.explaining import Explained
    from vault.retention.policy import Policies, Rule


@click.group(
    "policy",
    cls=Group,
    examples=("vault policy check policies/gdpr.yaml", "vault policy schema > policy.schema.json"),
)
def policy() -> None:
    """Check retention policies."""


@policy.command(
    "check",
    examples=("vault policy check policies/gdpr.yaml", "vault policy check --json policies/*.yaml"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@as_json
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Check policy files, as they would be in force together.

    Needs no vault. What is wrong is said with file, line and column; then the exit code is 2. A model that is
    not installed on this machine is a warning. A policy that comes with the vault may be called by its name:
    default, gdpr, hipaa, pci, short-lived.
    """
    from vault.errors import PolicyError
    from vault.retention.loading import load
    from vault.retention.redacting import redaction_of

    try:
        policies = load(files)
        redaction_of({}, policies)
    except PolicyError as error:
        _tell_problems(error, as_json=as_json)
        raise click.exceptions.Exit(error.exit_code) from None
    missing = list(_missing_models(policies))
    if as_json:
        said = [_as_problem(one) for one in missing]
        checked = [_as_data(policies, one.name) for one in policies.policies]
        put_json({"policies": checked, "problems": [], "warnings": said})
        return
    for problem in missing:
        say(f"warning: on this machine, {problem} ({problem.hint})")
    for one in policies.policies:
        say(f"{one.name}: {counted(len(one.rules), 'rule')}, run at {one.schedule} ({one.zone})")
    put_table(
        ("class", "at least", "at most", "counted from", "then", "where"),
        [_row(rule) for rule in policies.rules],
    )


def _missing_models(policies: Policies) -> Iterator[PolicyError]:
    """Say which models are not installed here: the file is right, and a vault on this machine refuses it."""
    from vault.errors import ConfigError, MissingExtraError
    from vault.redaction.models import refuse_missing

    for policy in policies.policies:
        for name, at in policy.models:
            try:
                refuse_missing(name)
            except (ConfigError, MissingExtraError) as error:
                yield at.error(str(error), error.hint)


def _row(rule: Rule) -> tuple[object, ...]:
    keep = rule.keep
    return (
        rule.name,
        keep.at_least,
        keep.at_most,
        keep.count_from.value,
        rule.then.value,
        f"{rule.at.path}:{rule.at.line}",
    )


def _as_data(policies: Policies, name: str) -> dict[str, Any]:
    [one] = [one for one in policies.policies if one.name == name]
    return {
        "policy": one.name,
        "file": one.at.path,
        "schedule": one.schedule.text,
        "timezone": str(one.zone),
        "max_fraction": float(one.max_fraction),
        "classes": [
            {
                "class": rule.name,
                "line": rule.at.line,
                "at_least": _text(rule.keep.at_least),
                "at_most": _text(rule.keep.at_most),
                "count_from": rule.keep.count_from.value,
                "then": rule.then.value,
            }
            for rule in one.rules
        ],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _tell_problems(error: PolicyError, *, as_json: bool) -> None:
    if as_json:
        put_json({"policies": [], "problems": [_as_problem(one) for one in error.all], "warnings": []})
        return
    for one in error.all:
        end(one, debug=False)


def _as_problem(one: PolicyError) -> dict[str, Any]:
    return {
        "file": one.path,
        "line": one.line,
        "column": one.column,
        "problem": one.message,
        "hint": one.hint,
    }


@policy.command(
    "schema",
    examples=("vault policy schema > policy.schema.json", "vault policy schema | jq .properties"),
)
@as_json
def schema(as_json: bool) -> None:  # noqa: ARG001 (it is JSON with the option and without)
    """Print the JSON Schema of policy files.

    Editors check and complete by it. For the YAML language server a policy names it in a comment on its first
    line: yaml-language-server: $schema=policy.schema.json
    """
    from vault.retention.json_schema import json_schema

    put_json(json_schema())


@policy.command(
    "explain",
    examples=(
        "vault policy explain --user u-42 --session s-1",
        "vault policy explain --user u-42 --session s-1 --policy gdpr.yaml --json",
    ),
)
@click.option("--user", required=True, metavar="USER", help="Whose session.")
@click.option("--session", required=True, metavar="SESSION", help="The session's id.")
@policy_files(help="Ask this policy instead of the vault's own; may be given again.")
@as_json
@pass_given
def explain(given: Given, /, user: str, session: str, policies: tuple[Path, ...], as_json: bool) -> None:
    """Say why a session's messages are kept, or go, and when.

    One line for each ground: the class, holds, floors and ceilings; what decides the date is marked. Where a
    rule asks for metadata, bodies are opened for it.
    """
    with given.open(policies or None) as vault:
        found = vault.explain(user, session)
    if as_json:
        put_json(found)
        return
    if on_terminal():
        for one in found:
            _print(one)
        return
    put_table(
        (
            "class",
            "part",
            "role",
            "rows",
            "goes",
            "ground",
            "rule or hold",
            "says",
            "until",
            "counts",
            "where",
        ),
        [
            (
                one.class_name,
                one.part,
                one.role,
                one.messages or one.records,
                "now" if one.goes else one.goes_at or "never",
                why.ground,
                why.name,
                why.says,
                why.at,
                "*" if why.counts else "",
                why.where,
            )
            for one in found
            for why in one.reasons
        ],
    )


def _print(one: Explained) -> None:
    """Print on a terminal, where so many columns fit no table; what decides the date is marked."""
    rows = counted(one.messages, "message") if one.messages else counted(one.records, "record")
    when = "now" if one.goes else moment(one.goes_at) if one.goes_at else "never"
    head = f"{one.class_name}  {one.role} {one.part}, {rows}"
    click.echo(f"{paint(head, bold=True)}  goes {paint(when, bold=True)}")
    for why in one.reasons:
        until = f" until {moment(why.at)}" if why.at else ""
        where = f" ({why.where})" if why.where else ""
        mark = "*" if why.counts else " "
        put_beside(f"  {mark} {why.ground:8}  ", 14, f"{why.name} {why.says}{until}{where}")
