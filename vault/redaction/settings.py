"""What is redacted, and how: the `redaction` part of a policy or of vault.toml, validated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vault.errors import ConfigError
from vault.messages import ROLES
from vault.redaction.operators import OPERATORS

if TYPE_CHECKING:
    from vault.redaction.names import Mode

# Presidio's names where it has one.
ENTITIES = frozenset(
    {
        "ADDRESS", "AGE", "BANK_ACCOUNT", "CREDIT_CARD", "CRYPTO", "DATE_OF_BIRTH", "DENIED",
        "DRIVER_LICENSE", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "LICENSE_PLATE", "LOCATION",
        "MAC_ADDRESS", "MEDICAL_ID", "NATIONAL_ID", "ORGANIZATION", "PASSPORT", "PERSON", "PHONE_NUMBER",
        "SECRET", "URL", "USERNAME", "US_SSN",
    }
)  # fmt: skip
# What they are called elsewhere. Taken for entities of the user's own, they would decide nothing.
_OTHERWISE = {
    "CARD": "CREDIT_CARD", "DOB": "DATE_OF_BIRTH", "EMAIL": "EMAIL_ADDRESS", "GPE": "LOCATION",
    "IBAN": "IBAN_CODE", "IP": "IP_ADDRESS", "LOC": "LOCATION", "MAC": "MAC_ADDRESS", "NAME": "PERSON",
    "ORG": "ORGANIZATION", "PER": "PERSON", "PHONE": "PHONE_NUMBER", "SSN": "US_SSN",
}  # fmt: skip
_OF_A_COUNTRY = re.compile(r"[A-Z]{2}_")
_KINDS = {
    "PASSPORT": "PASSPORT",
    "DRIV|FUEHRERSCHEIN": "DRIVER_LICENSE",
    "PLATE|VEHICLE|KFZ": "LICENSE_PLATE",
    "MEDICA|NHS|HEALTH|MBI|NPI|LANR|BSNR|PRESCRIPTION|CLAIM|AUTHORIZATION|REFERRAL": "MEDICAL_ID",
}
TREATMENTS = ("redact", "keep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """How messages are redacted. Every field has the safe value as its default."""

    models: tuple[str, ...] = ()  # beside the one for English that is bundled: spacy:de_core_news_md
    mode: Mode = "balanced"
    operator: str = "placeholder"  # for every entity that `entities` does not name
    entities: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    deny: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    metadata: str = "redact"
    blobs: str = "keep"
    failure: str = "refuse"
    originals: bool = False
    budget: float = 60.0  # seconds for one message; what takes longer is treated as a failure
    namespaces: Mapping[str, Redaction] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], *, where: str = "redaction") -> Redaction:
        """Read the settings from a mapping, as YAML, TOML or an app gives them."""
        return _read(given, where, cls())

    def at(self, namespace: str) -> Redaction:
        """Give what holds in a namespace: the first pattern that fits, or these settings."""
        for pattern, settings in self.namespaces.items():
            if fnmatchcase(namespace, pattern):
                return settings
        return self

    def operator_for(self, entity: str) -> str:
        """Name the operator of an entity; one of a country's goes by its kind where it is not named."""
        found = self.entities.get(entity)
        if found is None and self.entities:
            found = self.entities.get(kind_of(entity))
        return found or self.operator

    def leaves(self, entity: str) -> bool:
        """Say whether what is found of an entity stays as it is."""
        return self.operator_for(entity) == "keep"

    def keeps(self, role: str) -> bool:
        """Say whether messages of a role stay as they are."""
        return self.roles.get(role, "redact") == "keep"


@lru_cache(maxsize=256)
def kind_of(entity: str) -> str:
    """Give the kind of what a country has its own name for: PL_PESEL is a NATIONAL_ID."""
    if entity in ENTITIES or not _OF_A_COUNTRY.match(entity):
        return entity
    return next((kind for sign, kind in _KINDS.items() if re.search(sign, entity)), "NATIONAL_ID")


def _read(given: Mapping[str, Any], where: str, base: Redaction) -> Redaction:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is a table of settings")
    known = {one.name for one in fields(Redaction)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        _choose(name, known, f"setting of {where}")
        values[name] = _field(name, value, f"{where}.{name}", base)
    namespaces = values.pop("namespaces", {})
    settings = replace(base, **values)
    _check_denied(settings, where)
    nested = {
        pattern: _of_namespace(inner, f"{where}.namespaces", settings)
        for pattern, inner in namespaces.items()
    }
    return replace(settings, namespaces=nested)


def _of_namespace(given: Any, where: str, base: Redaction) -> Redaction:
    if isinstance(given, Mapping) and "namespaces" in given:
        raise ConfigError(f"{where}: a namespace holds no others", hint="name it beside: support/eu/*")
    return _read(given, where, replace(base, namespaces={}))


def _check_denied(settings: Redaction, where: str) -> None:
    for entity in settings.deny:
        if settings.leaves(entity):
            raise ConfigError(
                f"{where}: terms are denied as {entity}, and {entity} is kept",
                hint=f"give {entity} another operator in entities",
            )


_WORDS: Mapping[str, Collection[str]] = {
    "mode": ("balanced", "high-recall", "every-name"),
    "metadata": TREATMENTS,
    "blobs": ("keep", "drop"),
    "failure": ("refuse", "replace"),
    "operator": OPERATORS,
}


def _field(name: str, value: Any, where: str, base: Redaction) -> Any:
    if name in _WORDS:
        return _choose(value, _WORDS[name], where)
    if name in {"entities", "roles", "thresholds", "deny"}:
        return _mapping(name, value, where, base)
    if name in {"models", "allow"}:
        return _texts(value, where)
    if name == "budget":
        return _number(value, where, 0.001, 3600)
    if name == "originals":
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{where} is true or false")
    return _table(value, where)


def _mapping(name: str, value: Any, where: str, base: Redaction) -> Mapping[str, Any]:
    match name:
        case "entities":
            return {
                **base.entities,
                **{
                    _entity(entity, where): _choose(operator, OPERATORS, where)
                    for entity, operator in _table(value, where).items()
                },
            }
        case "roles":
            return {
                **base.roles,
                **{
                    _choose(role, ROLES, where): _choose(treatment, TREATMENTS, where)
                    for role, treatment in _table(value, where).items()
                },
            }
        case "thresholds":
            return {
                _entity(entity, where): _number(number, where, 0, 1)
                for entity, number in _table(value, where).items()
            }
        case _:
            lists = value if isinstance(value, Mapping) else {"DENIED": value}
            return {_entity(entity, where): _texts(terms, where) for entity, terms in lists.items()}


def _choose(value: Any, known: Collection[str], where: str) -> str:
    if isinstance(value, str) and value in known:
        return value
    near = difflib.get_close_matches(str(value), known, 1)
    raise ConfigError(
        f"{where}: {str(value)[:40]!r} is not known",
        hint=f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(known))}",
    )


def _entity(value: Any, where: str) -> str:
    """Take a known entity, or the name of one that a recognizer of the user's own finds."""
    if isinstance(value, str) and value and value.replace("_", "").isalnum() and value.isupper():
        near = [_OTHERWISE[value]] if value in _OTHERWISE else []
        near = near or difflib.get_close_matches(value, ENTITIES, 1, cutoff=0.85)
        if value in ENTITIES or not near:
            return value
        raise ConfigError(f"{where}: {value!r} is not known", hint=f"did you mean {near[0]}?")
    return _choose(value, ENTITIES, where)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"{where} is a table")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ConfigError(f"{where} is a list of texts, none of them empty")
    return tuple(value)


def _number(value: Any, where: str, least: float, most: float) -> float:
    number = None
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = None
    if number is None or not least <= number <= most:
        raise ConfigError(f"{where} is a number from {least:g} to {most:g}")
    return number
