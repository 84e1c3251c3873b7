"""What sources keep in one way or another: times, JSON in a column, roles."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from vault.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 10**11  # a number from here on counts milliseconds: as seconds it would be the year 5138
_MICROSECONDS = 10**14

ROLES = {"human": "user", "ai": "assistant", "bot": "assistant", "model": "assistant"}


def moment(value: object) -> datetime | None:
    """Read a time: ISO 8601, seconds, milli- or microseconds since 1970; UTC where it names no zone."""
    if value is None or value == "":
        return None
    with suppress(ValueError, OverflowError, TypeError):
        if isinstance(value, str):
            text = value.strip()
            number = _number(text)
            value = datetime.fromisoformat(text) if number is None else number
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            unit = 1_000_000 if abs(value) < _MILLISECONDS else 1000 if abs(value) < _MICROSECONDS else 1
            return _EPOCH + timedelta(microseconds=round(value * unit))
    raise InputError("its time can't be read")


def _number(text: str) -> float | int | None:
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return float(text)
    return None


def document(value: object) -> Any:  # noqa: ANN401 (any JSON)
    """Read JSON that stands in a column or a line."""
    if isinstance(value, dict | list):
        return value
    if isinstance(value, str | bytes):
        with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
            return msgspec.json.decode(value)
    # Raised out here, as an error of decoding may hold what was read (P1).
    raise InputError("it is no JSON")


def mapping(value: object) -> dict[str, Any]:
    """Read a JSON object."""
    found = document(value)
    if not isinstance(found, dict):
        raise InputError("it is no JSON object")
    return found


def text(value: object, what: str) -> str:
    """Give a name, as text."""
    if isinstance(value, bytes):
        with suppress(UnicodeError):
            return value.decode()
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"it has no {what}")


def role(value: object) -> str:
    """Give a role by the name that the vault has for it."""
    name = text(value, "role").strip().lower()
    return ROLES.get(name, name)
