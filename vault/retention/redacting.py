"""What the policies say of redaction, put together with the settings of the vault.

A policy's `redaction` holds in the namespaces that its classes name, and everywhere where one of them names
none. What contradicts itself is an error: nothing that a policy asks for is dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vault.errors import ConfigError, PolicyError
from vault.redaction.models import package_of
from vault.redaction.settings import Redaction
from vault.redaction.terms import entry_of
from vault.retention.policy import Policies, Policy
from vault.retention.reading import Node, Place, Problems, entries, items_of, plain, text_of

_BUNDLED = "en"
_BOOL = {"true": True, "false": False}


def redaction_of(settings: Mapping[str, Any], policies: Policies | None) -> Redaction:
    """Give what is redacted, and how: the vault's settings and over them the policies'."""
    if policies is None:
        return Redaction.of(settings, where="redaction of vault.toml")
    Redaction.of(settings, where="redaction of vault.toml")  # so that each error names its own file
    merged = dict(settings)
    if any(rule.originals.longest > 0 for rule in policies.rules):
        merged.setdefault("originals", True)
    everywhere = [one for one in policies.policies if one.redaction and not _namespaces(one)]
    if len({repr(sorted(_block(one).items())) for one in everywhere}) > 1:
        raise everywhere[1].at.error(
            f"two policies redact everything, each in its own way; the other is {everywhere[0].at}",
            "say it in one of them, or in vault.toml",
        )
    for one in everywhere[:1]:
        merged = _over(merged, _block(one))
    inner = dict(merged.get("namespaces", {}))
    for pattern, one in _by_namespace(policies):
        if pattern in inner:
            raise one.at.error("redaction in a namespace of this policy is said twice", "say it in one place")
        inner[pattern] = _block(one)
    if inner:
        merged["namespaces"] = inner
    return Redaction.of(merged, where="redaction of the policies")


def asks_for_redaction(policies: Policies | None) -> Policy | None:
    """Give a policy that says something of redaction, if one does."""
    return next((one for one in policies.policies if one.redaction), None) if policies else None


def _by_namespace(policies: Policies) -> Iterator[tuple[str, Policy]]:
    for one in policies.policies:
        if one.redaction:
            for glob in sorted(_namespaces(one)):
                yield glob.replace("[", "[[]").replace("?", "[?]"), one


def _namespaces(policy: Policy) -> set[str]:
    """Give the namespaces of a policy's classes; none where one of them is for all."""
    if not all(rule.match.namespaces for rule in policy.rules):
        return set()
    return {glob for rule in policy.rules for glob in rule.match.namespaces}


def _block(policy: Policy) -> dict[str, Any]:
    return block_of(policy.redaction, policy.at)


def block_of(said: Mapping[str, Any], at: Place) -> dict[str, Any]:
    """Read what stands in a file: its values are texts until a field says otherwise."""
    block = dict(said)
    language = block.pop("language", _BUNDLED)
    if language != _BUNDLED and "models" not in block:
        raise at.error(
            "redaction in this language needs a model",
            "models: [spacy:de_core_news_md], for German; English comes with the vault",
        )
    if "originals" in block:
        block["originals"] = _BOOL.get(str(block["originals"]), block["originals"])
    try:
        Redaction.of(block)
    except ConfigError as error:
        raise at.error(str(error), error.hint) from None
    return block


def read_block(
    node: Node | None, problems: Problems
) -> tuple[dict[str, object], tuple[tuple[str, Place], ...]]:
    """Give what a file says of redaction, and the models that it names; note what nothing could work with."""
    block = {key: plain(value) for key, value in entries(node).items()}
    beside = {key: block[key] for key in block.keys() & {"models"}}
    models: list[tuple[str, Place]] = []
    for key, value in entries(node).items():
        try:
            block_of({**beside, key: block[key]}, value.at)
        except PolicyError as error:
            problems.found += error.all
            continue
        named = list(_models({key: value}))
        models += named
        for name, at in named:
            with _noting(at, problems):
                package_of(name)
        for place, term in _terms({key: value}):
            with _noting(term.at, problems):
                entry_of(place, text_of(term))
    return block, tuple(models)


@contextmanager
def _noting(at: Place, problems: Problems) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        problems.add(at, str(error), error.hint)


def _models(block: Mapping[str, Node]) -> Iterator[tuple[str, Place]]:
    """Give the models that are named, and where."""
    for one in items_of(block.get("models")):
        yield text_of(one), one.at
    for inner in entries(block.get("namespaces")).values():
        yield from _models(entries(inner))


def _terms(block: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """Give the terms of the user's lists, each with what its place is called."""
    deny = block.get("deny")
    lists = [("allow", block.get("allow")), ("deny", deny)]
    lists += [(f"deny, {entity}", named) for entity, named in entries(deny).items()]
    for place, named in lists:
        for number, one in enumerate(items_of(named), start=1):
            yield f"{place}, term {number}", one
    for inner in entries(block.get("namespaces")).values():
        yield from _terms(entries(inner))


def _over(settings: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one set of settings over another; of tables each entry counts."""
    tables = {
        name: {**settings[name], **value}
        for name, value in block.items()
        if isinstance(value, Mapping) and isinstance(settings.get(name), Mapping)
    }
    return {**settings, **block, **tables}
