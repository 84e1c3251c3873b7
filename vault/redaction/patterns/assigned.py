"""What code sets fields of persons to: `phone="+44 7911 123846"`, `{firstName: "Anna"}`, `"ssn": "536-22-8726"`.

A field tells what stands in it by its name and by how that is written. A name has to be one of the lists, and
under `name` alone, which anything has, a full one, with something else that tells of a person beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.births import FULL

_NAMES: Final = (
    r"(?:first|last|full|given|family|middle|customer|client|patient|employee|contact|card_?holder|account_?holder|owner)_?names?"
    r"|surname|vorname|nachname|nombre|apellidos?|prenom|sobrenome|cognome"
)
_PHONES: Final = r"(?:[a-z]{1,20}_)?(?:phone|mobile|telephone|tel|telefon|telefono|telefone|handy|movil|whatsapp)(?:_?(?:no|nr|num|number))?"
_BIRTHS: Final = r"(?:dob|(?:date_?of_?)?birth(?:_?(?:date|day))?|geburtsdatum|fecha_?(?:de_?)?nacimiento|date_?(?:de_?)?naissance)"
_SSNS: Final = r"(?:[a-z]{1,20}_)?(?:ssn|social_?security(?:_?(?:no|nr|num|number))?)"
_PASSPORTS: Final = r"passport(?:_?(?:no|nr|num|number|id))?"
_STREETS: Final = r"(?:[a-z]{1,20}_)?(?:street(?:_?address)?|address(?:_?line_?1)?|strasse|anschrift|adresse|direccion|endereco)"
_PLATES: Final = r"(?:licen[cs]e|number|registration)_?plate|kfz_?kennzeichen"
_IS: Final = r"[\"']?\s{0,3}[:=]\s{0,3}"
_FIELD: Final = re.compile(
    rf"(?<![\w$-])(?:(?P<name>{_NAMES})|(?P<plain>name|owner|maintainer|assignee|recipient|created_?by)|(?P<phone>{_PHONES})|(?P<birth>{_BIRTHS})|(?P<ssn>{_SSNS})"
    rf"|(?P<passport>{_PASSPORTS})|(?P<street>{_STREETS})|(?P<plate>{_PLATES})){_IS}(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote))[^\n\\{{}}<>]|\\['\"]){{2,80}})(?P=quote)"
)
_CAPITAL: Final = r"[^\W\d_a-z][^\W\d_]*(?:['\u2019-][^\W\d_]+)*\.?"
_ONE: Final = re.compile(rf"{_CAPITAL}(?: {_CAPITAL}){{0,3}}")
_FORMS: Final = (
    ("phone", "PHONE_NUMBER", re.compile(r"\+?[(\d](?:[ ()./-]{0,2}\d){6,14}")),
    ("birth", "DATE_OF_BIRTH", re.compile(FULL)),
    ("ssn", "US_SSN", re.compile(r"\d{3}-?\d{2}-?\d{4}")),
    ("passport", "PASSPORT", re.compile(r"(?=(?:\w*?\d){5})[a-z0-9]{6,12}")),
    ("plate", "LICENSE_PLATE", re.compile(r"(?=.*\d)(?=[^a-z]*[a-z])[a-z\d][a-z\d -]{3,9}[a-z\d]")),
    ("street", "ADDRESS", re.compile(r"\d{1,5}[a-z]? [a-z'-]{3,}(?:,? [\w'.-]+){1,8}|(?!(?:street|address|adresse|strasse|line|unit|flat|block|item|row|test)\b)[a-z'-]{3,}(?: [a-z'-]{2,}){0,3} \d{1,4}[a-z]?(?:, [\w ,'.-]{3,40})?")),
)  # fmt: skip
_NEAR: Final = 240
_BESIDE: Final = re.compile(
    rf"(?<![\w$-])(?:e_?mail(?:_?address)?{_IS}[\"'`][^\s\"'`@]{{1,64}}@|age{_IS}[\"']?\d"
    rf"|(?:(?:credit_?|debit_?)?card(?:_?(?:no|nr|num|number))?|iban|account_?(?:no|nr|num|number)){_IS}[\"'`]?(?:[a-z]{{2}})?\d[\d -]{{7}}"
    rf"|(?:user_?name|passwor[dt]|passwd){_IS}[\"'`][^\s\"'`])"
)


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, text = folded.low, folded.text
    last = -_NEAR  # where something that tells of a person ended
    waiting: list[tuple[int, int]] = []  # full names that nothing has told of yet
    for match in around(_FIELD, low, ends, 48, 110):
        start, end = match.span("value")
        for group, entity, form in _FORMS:
            if match[group] and form.fullmatch(match["value"]) and not text[start].islower():
                yield Hit(entity, start, end, 0.7)
                yield from (Hit("PERSON", *one, 0.7) for one in waiting if start - one[1] < _NEAR)
                last, waiting = end, []
        is_plain = match["plain"] is not None
        if not (match["name"] or is_plain) or not _is_a_name(text[start:end], is_sure=not is_plain):
            continue
        around_it = (max(0, start - _NEAR), end + _NEAR)
        if not is_plain or start - last < _NEAR or _BESIDE.search(low, *around_it):
            yield Hit("PERSON", start, end, 0.7)
        else:
            waiting.append((start, end))


def _is_a_name(said: str, *, is_sure: bool) -> bool:
    from vault.redaction.names import is_listed

    said = said.replace("\\", "")
    return _ONE.fullmatch(said) is not None and (is_sure or " " in said) and is_listed(said)


RECOGNIZERS = (
    Recognizer(
        "fields of persons",
        (
            rf"(?:name|owner|maintainer|assignee|recipient|created_?by|surname|vorname|nachname|nombre|apellidos?|prenom|sobrenome|cognome){_IS}[\"'`]",
            rf"(?:{_PHONES}|{_BIRTHS}|{_SSNS}|{_PASSPORTS}|{_STREETS}|{_PLATES}){_IS}[\"'`]",
        ),
        _find,
        code=True,
        every=True,
    ),
)  # fmt: skip
