"""Values that have the form of a card, a social security number or a key, and are said to be another thing.

One number in ten passes Luhn's test, and a part may be numbered in the groups of a social security number.
Such a one stays where the word right before it says what it numbers, and no word near it speaks of what it
looks like. What a model takes for a key is none where it is the sum of a file, or longer than keys are and
nothing speaks of one.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Final

from vault.redaction.findings import Finding, Ground
from vault.redaction.patterns.cards import names_a_card
from vault.redaction.technical import is_technical

_THINGS: Final = (
    r"orders?|pedidos?|bestell(?:ung|nummer|nr)|auftrags?(?:nummer|nr)?|commandes?|encomendas?|ordine"
    r"|ordinazione|bestelling|tracking|sendungs?(?:nummer|nr)?|suivi|rastre(?:o|io)|seguim(?:i?ento)"
    r"|parcels?|packages?|paket(?:nummer)?|paquetes?|colis|shipments?|consignment|waybill|awb|gu[ií]a"
    r"|invoices?|rechnung(?:s(?:nummer|nr))?|facturas?|factures?|faturas?|fattura|bookings?"
    r"|buchung(?:s(?:nummer|nr))?|reservation|reserva|réservation|prenotazione|confirmation"
    r"|confirmaci[oó]n|bestätigung|ref|reference|referencia|referência|référence|referenz|riferimento"
    r"|transactions?|txn|transaktion|transacci[oó]n|transação|tickets?|vorgang(?:s(?:nummer|nr))?"
    r"|barcodes?|ean|gtin|upc|isbn|issn|imei\d?|meid|iccid|sim|serial|seriennummer|sku|parts?|models?"
    r"|modell|modelo|modèle|catalog(?:ue)?|drawing|items?|article|artikel(?:nummer|nr)?|lot|batch"
    r"|asset|snowflake|guild|channel|tweet|thread|seed|nonce|jobs?|span|version|po|rma"
    r"|vertrag(?:s(?:nummer|nr))?|contrato|contrat|angebot|polic(?:y|ies)|envío|zam[oó]wieni[ea]|meter"
    r"|zeile|fila|ligne|linha|offset|index|intent|primary|filter|spare|bulb|teil|ersatzteil|pieza|peça"
    r"|pièce|onderdeel|regulation|formular|plot|unit|inventory|warranty|garantie"
    r"|(?:delivery|credit|packing) note|valve|gasket|seal|hose|pump|belt|blade|cartridge|toner|kit|material"
    r"|vendor|cost cent(?:re|er)|revision|iso|din"
)
_DONE_TOO: Final = (
    r"cases?|messages?|post|build|runs?|trace|request|file|image|note|contracts?|quotes?|offer|claims?"
    r"|sample|row|record|entry|log|form|page|stock"
)
"""Things whose word is also what somebody does: "please note ...", "quote ... when you call"."""

_ID: Final = r"[ _.-]{0,2}(?:ids?|keys?|no|nr|num(?:ber)?|nummer|n[uú]mero|numéro|code|nº|n°|#)"
_NUMBERED: Final = re.compile(
    rf"(?:(?<![^\W_])(?:(?:{_THINGS})(?:{_ID})?\.?|(?:{_DONE_TOO})(?:{_ID}\.?|(?=[\"']?\s?[:=])))"
    rf"|\b(?:the|my|our|your|this|that|his|her|their|which) (?:{_DONE_TOO})"
    r"|(?<![^\W_])(?!(?:user|customer|client|member|person|employee|patient|tax)_)[a-z]{2,24}_ids?"
    r"|(?<![^\W_])(?:order|tracking|invoice|booking|transaction|message|ticket|parcel|shipment|reference)"
    r"(?:id|no|number|code)"
    r"|(?<![\w#])#)[\"']?(?:\s?(?:is|was|ist|es|est|:|=|#)){0,2}[\s\"'#(]{0,3}$"
)
"""What a number numbers, right before it; or nothing but a sign for numbers."""

_START: Final = re.compile(r"(?<![^\W_])[^\W_]|#")
_LAST: Final = 5  # words that may name a number: "the order id is"
_SOCIAL: Final = re.compile(
    r"\b(?:ssns?|soc(?:ial)?|security|taxpayer|itin|tin|w-?[29]|10(?:40|99)|irs|dependents?|spouse|dob|birth|born|patient)\b"
)
_PARAGRAPHS: Final = ("\u00a7", "\u00a7 ")
_PART_OF_MORE: Final = re.compile(r"\d[.,]$")
_FILED: Final = re.compile(r"[/\\_-](?:[a-z]{1,12}[_-])?$")
_ENDING: Final = re.compile(r"\.[a-z]{2,4}\d?(?!\w)")
_DIGITS: Final = re.compile(r"\d{12,19}")
_MARKETS: Final = re.compile(r"\d{3}-\d{7}-\d{7}")
_GROUPED: Final = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}")

_SUMMED: Final = re.compile(
    r"(?:\b(?:sha-?\d{1,3}|md5|h1|nonce|integrity|etag|digest|checksum|cursor|signature)[\"']?\s?[=:-]\s?[\"']?(?:sha\d{1,3}-)?"
    r"|;base64,)$"
)
_SUM: Final = re.compile(r"(?:sha\d{1,3}|nonce)-", re.IGNORECASE)
_LISTED: Final = re.compile(r"[0-9a-f]{32,128}  \S")
_RUN: Final = re.compile(r"[\w+/=-]{0,4096}")
_SIGNS: Final = f"{string.ascii_letters}{string.digits}_+/=-"
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_KEPT: Final = re.compile(
    r"key|token|secret|pass|pw|bearer|auth|priv|cred|jwt|session|cookie|clave|senha|schl[uü]ssel|cl[eé]|chiave"
)
_HIDDEN: Final = re.compile(r"token|secret|pass|pw|bearer|auth|priv|cred|(?<!primary )(?<!foreign )key\b")
_COUNTS: Final = re.compile(
    r"\b(?:seed|nonce|\w{1,24}[_-](?:tokens?|keys?)|tokenizer|keyring|(?:primary|foreign) key)[\"']?"
    r"\s?[:= ]\s?[\"']?$"
)
"""What a number alone is no secret behind: 42 of `seed=42`, 4096 of `cache_key: 4096`."""

_HEX: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LED: Final = re.compile(r"[^\s\"',;()]+$")
_GOES_ON: Final = re.compile(r"[^\s\"',;()]+")
_SHEET: Final = re.compile(r"\bclass(?:name)?[=:] ?[\"']?[\w -]{0,40}$|\bspotify:(?:[a-z]{1,12}:?)?$")
_STATUS: Final = re.compile(r"[1-5]\d\d")
_MOMENT: Final = re.compile(r"1[4-9]\d{8}(?:\d{3}){0,3}")  # seconds, milli-, micro- or nanoseconds since 1970
_WHEN: Final = re.compile(r"\b(?:at|on|ts|time|until|since|before|after|from|exp|iat|nbf)\W{1,3}$")
_SHIP: Final = 7
_FEW: Final = 5
_LONGER: Final = 72  # signs; keys are shorter, or of a provider whose pattern knows them

_BEFORE: Final = 60
_BEHIND: Final = 40
_NEXT: Final = 4  # words behind a value: a stream holds it back as long as that
_FAR: Final = 4096


def not_otherwise(found: Sequence[Finding], text: str) -> list[Finding]:
    """Leave out what the text says is another thing than what it looks like."""
    return [one for one in found if not _is_otherwise(one, text)]


def _is_otherwise(one: Finding, text: str) -> bool:
    match one.entity:
        case "CREDIT_CARD":
            return _is_no_card(one, text)
        case "US_SSN":
            low = _around(one, text)
            return _is_numbered(text, one.start) and _SOCIAL.search(low) is None
        case "PHONE_NUMBER":
            return _is_a_ship(text, one.start, one.end)
        case "IP_ADDRESS":
            return text.endswith(_PARAGRAPHS, 0, one.start)
        case "SECRET" if one.ground is Ground.MODEL:
            return _is_no_key(one, text)
        case _:
            return False


def _around(one: Finding, text: str) -> str:
    before, behind = text[max(0, one.start - _BEFORE) : one.start], text[one.end : one.end + _BEHIND].split()
    return f"{before} {' '.join(behind[:_NEXT])}".lower()


def _is_numbered(text: str, start: int) -> bool:
    before = text[max(0, start - _BEFORE) : start].lower()
    starts = [found.start() for found in _START.finditer(before)][-_LAST:]
    return any(_NUMBERED.match(before, at) for at in starts)


def _is_a_ship(text: str, start: int, end: int) -> bool:
    """Say whether a number is a ship's: of seven digits, the last of which proves the others."""
    value = text[start:end]
    if (
        len(value) != _SHIP
        or not value.isdigit()
        or not text[max(0, start - 5) : start].lower().endswith(("imo ", "imo: "))
    ):
        return False
    return sum(int(one) * (_SHIP - at) for at, one in enumerate(value[:-1])) % 10 == int(value[-1])


def _is_no_card(one: Finding, text: str) -> bool:
    """Say whether a number is a part of another, the name of a file, or numbers an order and no card."""
    start = one.start + next((at for at, sign in enumerate(text[one.start : one.end]) if sign.isdigit()), 0)
    before = text[max(0, start - _BEFORE) : start].lower()
    if one.ground is Ground.MODEL and _PART_OF_MORE.search(before):
        return True
    if _FILED.search(before) and _ENDING.match(text[one.end : one.end + 6].lower()):
        return True
    if any(found.end() >= one.end for found in _MARKETS.finditer(text, max(0, one.start - 4), one.end)):
        return True
    if _GROUPED.fullmatch(text, one.start, one.end):
        return False  # as it is printed on one
    if one.ground is Ground.MODEL and _DIGITS.fullmatch(text, one.start, one.end):
        return not names_a_card(_around(one, text))  # the pattern knows those that prove themselves
    return _is_numbered(text, start) and not names_a_card(_around(one, text))


def _is_no_key(one: Finding, text: str) -> bool:
    """Say whether what a model takes for a key is a count, a time, a status, data, or part of a setting."""
    value, before = text[one.start : one.end], text[max(0, one.start - _BEFORE) : one.start]
    low = before.lower()
    if value.isdigit():
        is_counted = _COUNTS.search(low) is not None and (len(value) <= _FEW or not _HIDDEN.search(low))
        is_status = _STATUS.fullmatch(value) is not None and low.endswith("code=")
        if is_counted or is_status or (_MOMENT.fullmatch(value) and _WHEN.search(low)):
            return True
    led, goes_on = _LED.search(before), _GOES_ON.match(text, one.end, one.end + _BEFORE)
    word = f"{led[0] if led else ''}{value}{goes_on[0] if goes_on else ''}"
    return is_technical(word) or _is_data(one, text)


def _is_data(one: Finding, text: str) -> bool:
    """Say whether a word is the sum of a file, of a certificate, a file's name, or longer than keys are."""
    lowest = max(0, one.start - _FAR)
    start = lowest + len(text[lowest : one.start].rstrip(_SIGNS))
    run = _RUN.match(text, start)
    end = one.end if run is None else run.end()
    before = text[max(0, start - _BEFORE) : start].lower()
    if _SUM.match(text, start) or _SUMMED.search(before) or _LISTED.match(text, start):
        return True
    opened = text.rfind(_CERTIFICATE, lowest, one.start)
    if opened >= 0 and "-----END" not in text[opened:start]:
        return True
    is_in_path = text[start - 1 : start] == "/" or "/" in text[start : one.start]
    if is_in_path and _ENDING.match(text[end : end + 6]):
        return True
    is_long = end - start >= _LONGER or _HEX.fullmatch(text, start, end) is not None
    return (is_long and _KEPT.search(before) is None) or _SHEET.search(
        text[max(0, one.start - _BEFORE) : one.start].lower()
    ) is not None
