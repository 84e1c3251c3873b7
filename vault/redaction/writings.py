"""The forms in which two writings of a value are the same: what a session remembers is hashed in them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vault.redaction.folding import unbroken

EDGES: Final = ".,:;!?*_~"
"""Signs at the edges of a value that are the sentence's, or Markdown's."""

_BETWEEN: Final = str.maketrans("", "", " .-/")
_NUMBERED: Final = frozenset(
    {
        "BANK_ACCOUNT", "CREDIT_CARD", "DRIVER_LICENSE", "IBAN_CODE", "LICENSE_PLATE", "MAC_ADDRESS",
        "MEDICAL_ID", "NATIONAL_ID", "PASSPORT", "PHONE_NUMBER", "US_SSN",
    }
)  # fmt: skip
_OF_A_COUNTRY: Final = re.compile(r"(?!IP_)[A-Z]{2}_[A-Z_]+")
_SIGN: Final = re.compile(r"[\W_]+")
_HANDLE: Final = re.compile(r"@|/?u/")
_NUMBER: Final = re.compile(r"(\+|00)?[\d\s()./\u2010-\u2015-]+")
_ABROAD: Final = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}"  # as E.164 gives them out
)
_LEAST: Final = 7  # digits of a whole telephone number
_NATIONAL: Final = 11  # digits, with the 1, 7 or 8 that is dialled before some


def normal(value: str) -> str:
    """Give the form in which two writings of a value are the same."""
    if value.isascii():
        return " ".join(value.lower().split())
    return " ".join(unicodedata.normalize("NFKC", unbroken(value).text).casefold().split())


def bare(value: str) -> str:
    """Give the form in which two writings of a number, too, are the same."""
    return normal(value.strip(EDGES)).translate(_BETWEEN)


def is_numbered(entity: str) -> bool:
    """Say whether values of a kind are numbers: the signs between their digits say nothing."""
    return entity in _NUMBERED or _OF_A_COUNTRY.fullmatch(entity) is not None


def unified(entity: str, value: str) -> str:
    """Give the one form of all writings of a value of a kind."""
    said = normal(value)
    if entity == "USERNAME":
        return _HANDLE.sub("", said, count=1) if _HANDLE.match(said) else said
    if not is_numbered(entity):
        return said
    if entity == "PHONE_NUMBER" and (number := dialled(said)):
        return number
    return _SIGN.sub("", said) or said


def dialled(number: str) -> str:
    """Give a telephone number as it is dialled within its country, without what is dialled before it.

    +44 20 7946 0018 and 020 7946 0018 are one. Nothing where it is no whole number.
    """
    written = _NUMBER.fullmatch(normal(number))
    if written is None:
        return ""
    digits = "".join(filter(str.isdigit, written[0]))
    if written[1]:
        digits = digits.removeprefix("00")
        digits = digits[len(country[0]) :] if (country := _ABROAD.match(digits)) else digits
    digits = digits.lstrip("0")
    if len(digits) == _NATIONAL and digits[0] in "178":
        digits = digits[1:]
    return digits if len(digits) >= _LEAST else ""
