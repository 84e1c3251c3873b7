"""What a password looks like, and whether the words before one say that it is."""

from __future__ import annotations

import re

_STRONG = re.compile(r"(?=\S{0,255}[a-z])(?=\S{0,255}[\d!@#$%^&*_+=~?<>])\S{4,}")
_NAMED = re.compile(
    r"(?!(?:pass|pw|key|secret|token|psk))[a-z_]{2,16}=|[${]{2}|\{[\w.]{1,40}\}?$|[st]:[a-z<]", re.IGNORECASE
)
"""What is another field, or will be filled in."""

_TOLD = re.compile(
    r"(?:[:=/>|(\"'`]|'s|\b(?:is|was|are|now|be|its|have|had|ist|war|lautet|habe|es|era|son|tengo|est|etait|ai|e|sao|tenho))[\s\"'`*(]{0,4}$"
)
"""What says that the value of what was named comes next."""

_CHANGED = re.compile(r"\b(?:to|auf|in|zu|a|en|para|por|pour|par)[\s\"'`*(]{1,4}$")
"""The same where a password is changed to another; before a program it says where one is used."""

_FIELD = re.compile(r"(?<![\w-])([a-z_][\w.-]{0,24})=[\"'`]?$")
_SECRETS = re.compile(
    r"pass|pw|key|secret|token|psk|code|val|content|pin|auth|cred|clave|senha|kennwort|contrasena|mdp"
)


def names_a_field(value: str) -> bool:
    """Say whether a word is another field and its value, or will be filled in."""
    return _NAMED.match(value) is not None


def is_told(low: str, cue_end: int, start: int) -> bool:
    """Say whether a value stands right behind its cue, or behind a word or a sign that says: here it comes."""
    between = low[cue_end:start]
    return not any(map(str.isalnum, between)) or _TOLD.search(between[-12:]) is not None


def is_changed_to(low: str, cue_end: int, start: int) -> bool:
    """Say whether a value stands behind a word that may say that it is the new one."""
    return _CHANGED.search(low, max(cue_end, start - 10), start) is not None


def is_of_a_field(low: str, cue_end: int, start: int) -> bool:
    """Say whether a value is that of a field which is named otherwise: ua="..."."""
    field = _FIELD.search(low, max(cue_end, start - 28), start)
    return field is not None and not _SECRETS.search(field[1])


def is_strong(value: str) -> bool:
    """It looks like what somebody chose as a password, or a machine made: not like a word, a number or a time."""
    if (
        len(value) < 5
        or _NAMED.match(value)
        or not _STRONG.match(value.lower())
        or "://" in value
        or (value.count("@") and "." in value)
    ):
        return False
    letters, digits = sum(map(str.isalpha, value)), sum(map(str.isdigit, value))
    others = len(value) - letters - digits
    if digits and letters >= 2:
        return not re.fullmatch(
            r"\d+(?:st|nd|rd|th|am|pm|h|min|x|k|kg|km|days?|yo|px|mb|gb)|[A-Z]{1,3}\d{1,3}|v?\d+(?:\.\d+)+\w*|[a-z]{1,5}\d{1,2}|\d{1,2}-[a-z]+|HTTP/[\d.]+|(?:alt|ctrl|strg|cmd|shift)\+\w{1,3}|KB\d{6,7}|\[?\d{1,2}/\w{3}/\d{4}\S*",
            value,
        )
    return re.fullmatch(r"[a-z]+(?:-[a-z]+){2,8}", value) is not None or (
        bool(others)
        and letters >= 4
        and re.search(r"[A-Za-z][!@#$%^&*_+=<>][A-Za-z0-9]|[!#$*]$", value) is not None
    )
