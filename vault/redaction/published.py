"""Numbers that are nobody's: those that payment firms, banks and standards print as examples.

They stay only where the text says that they are examples. Whoever fills a form with one may not have wanted
to give the true one, and it is taken all the same. Zeros alone, and the numbers of shares and bonds, stay.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from vault.redaction.findings import Finding
from vault.redaction.patterns.cards import luhn

_CARDS: Final = frozenset(
    (
        *("4111111111111111", "4242424242424242", "4000056655665556", "4012888888881881", "4222222222222"),
        *("4000000000000002", "4000000000009995", "4000002500003155", "4917610000000000", "4000000000003220"),
        *("5555555555554444", "5105105105105100", "5200828282828210", "2223003122003222", "5431111111111111"),
        *("378282246310005", "371449635398431", "378734493671000", "6011111111111117", "6011000990139424"),
        *("30569309025904", "38520000023237", "3056930009020004", "3566002020360505", "3530111333300000"),
        *("6200000000000005", "6799990100000000019", "36227206271667"),
    )
)
_ACCOUNTS: Final = frozenset(
    (
        *(
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "GB82WEST12345698765432",
            "GB33BUKB20201555555555",
        ),
        *("FR1420041010050500013M02606", "FR7630006000011234567890189", "ES9121000418450200051332"),
        *("IT60X0542811101000000123456", "NL91ABNA0417164300", "BE68539007547034", "AT611904300234573201"),
        *(
            "CH9300762011623852957",
            "IE29AIBK93115212345678",
            "SE4550000000058398257466",
            "PT50000201231234567890154",
        ),
        *("NO9386011117947", "DK5000400440116243", "PL61109010140000071219812874", "BE71096123456769"),
    )
)
_NETS: Final = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
_SAID: Final = re.compile(
    r"(?<![.@\w-])(?:tests?|testing|sandbox|examples?|exemplo|ejemplo|exemple|beispiel\w*|dummy|fake|sample|specimen|placeholder"
    r"|docs?|documentation|validator|regex|luhn|real (?:visa|card|one)|isn'?t real|not real)(?![\w@-]|\.\w)",
    re.IGNORECASE,
)
_RESERVED: Final = re.compile(
    r"(?<![.@\w-])(?:documentation|docs|rfc|reserved|test-?net\w*|tutorial)\b", re.IGNORECASE
)
"""Whoever makes a log up uses these addresses too: only who speaks of what they are for means nobody."""

_STEMS: Final = (
    *("test", "sandbox", "exampl", "exempl", "ejempl", "beispiel", "dummy", "fake", "sample", "specimen"),
    *("placeholder", "doc", "validator", "regex", "luhn", "real", "rfc", "reserved", "tutorial"),
)
"""One of these stands in all that says so."""

_NUMBERS: Final = frozenset(
    {"PHONE_NUMBER", "NATIONAL_ID", "US_SSN", "CREDIT_CARD", "PASSPORT", "DRIVER_LICENSE", "MEDICAL_ID"}
)
_ZEROS: Final = re.compile(r"(?=(?:\D*0){5})[0 ./-]+")
_TRADED: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")  # an ISIN


def unpublished(found: Sequence[Finding], text: str) -> list[Finding]:
    """Leave out what is nobody's, and printed examples where the text speaks of them as such."""
    found = [one for one in found if not _is_nobodys(one.entity, text[one.start : one.end])]
    printed = [one for one in found if _is_printed(one, text[one.start : one.end])]
    if not printed:
        return found
    low = text.lower()
    if not any(stem in low for stem in _STEMS):
        return found
    of_numbers, of_nets = _SAID.search(text) is not None, _RESERVED.search(text) is not None
    gone = {id(one) for one in printed if (of_nets if one.entity == "IP_ADDRESS" else of_numbers)}
    return [one for one in found if id(one) not in gone]


def _is_nobodys(entity: str, value: str) -> bool:
    if entity in _NUMBERS and _ZEROS.fullmatch(value):
        return True
    if entity == "MEDICAL_ID":
        return False  # a member's of an American insurance, of letters and digits, is an ISIN once in ten
    return _TRADED.fullmatch(value) is not None and luhn("".join(str(int(one, 36)) for one in value))


def _is_printed(finding: Finding, value: str) -> bool:
    match finding.entity:
        case "CREDIT_CARD":
            return re.sub(r"\D", "", value) in _CARDS
        case "IBAN_CODE":
            return re.sub(r"\W", "", value).upper() in _ACCOUNTS
        case "IP_ADDRESS":
            return _is_reserved(value)
        case _:
            return False


def _is_reserved(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value.partition("%")[0])
    except ValueError:
        return False
    return any(address in net for net in _NETS)
