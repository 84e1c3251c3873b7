"""Telephone numbers: one scan for groups of digits, then what they look like and which word stands before them.

A number with + or 00 before it, or in a form that a country writes its numbers in, needs no word. Bare groups of
digits need one ("call", "whatsapp", "Handy"). Prices, dates, order numbers, coordinates and ids are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

_RUN = re.compile(
    r"(?=[\d+(])(?:(?<![\w/@#$%*=&?.+-])|(?<=\w=)(?=\+))(?:(?<!\d[,:])|(?=\+))(?<!\(\+)"
    r"(?:(?:\+|00)[ ]?|\()?(?:\(\+?\d{1,4}\)[ ]?)?\d(?:(?:[ ]?[-./][ ]?|[ ]{0,2}\(\d{1,4}\)[ ]{0,2}|[)][ ]?[-/]?[ ]?|[ ]{1,2})?\d){5,17}+"
    r"(?![\w@%$*])(?![-./:]\d)"
)
_DECIMALS = re.compile(r",\d")
_CUE = re.compile(
    r"\b(?P<phone>phones?|telephone|tel(?!emet|evis|escop|eport|egr)\w{0,6}|tlf\w{0,3}|tlm|tfno|fone|ph|cell\w{0,6}|mob|mobile|mobil\w{0,6}|movil\w{0,3}|handy\w{0,8}|hand ?phone|whats? ?app|wpp|zap|signal|viber"
    r"|sms|text(?:ed|s)?|texting|call(?:ed|s|ing|er)?|ring(?! road| size| binder)|rang|rufen?|ruf|anrufen|erreichbar|fax|landline|festnetz\w{0,8}|fijo|fixe|portable|gsm|imo"
    r"|celular|celu|cel|cellulare|llam\w{1,6}|ligar?|ligue\w?|lig|joindre|appele\w{0,3}|numero de tel\w*|telemovel|contact(?:o|ar|arme)?|contato|reach(?:ed|able)?|dial(?:ed)?"
    r"|hotline|rufnummer|telefonnummer|durchwahl|direct line|line|my n(?:umber|o|r|um)|his n(?:umber|o)|her n(?:umber|o|ummere)|their n(?:umber|o)|new number|number:|nummere?|"
    r"mi numero|meu numero|mon numero|meine nummer|numero|num|hp|pix|msg|message|bizum|mbway|mb way|venmo|zelle|mpesa|m-pesa|emergency|vet|office|work|home|daughter'?s no)\b"
    r"|\b(?P<other>orders?|receipts?|tickets?|tracking|track|invoice|ref|reference|isbn|issn|ean|sku|serial|sn|case|claim|policy|policyholder|account|acct|acc|a/c|konto\w*|cuenta|conta|compte"
    r"|iban|bic|routing|sort code|bsb|blz|card|karte|tarjeta|carte|cartao|visa|passport|pasaporte|passeport|reisepass|licen[cs]e|ssn|social|nhs|nino|aadhaar|pan|dni|nie|nif|cpf|rg|curp|rut"
    r"|cedula|pesel|bsn|sin|tfn|id|ids|steuer\w*|tax|vat|ust|member|mrn|chart|record|prescription|rx|order no|booking|pnr|flight|confirmation|conf|reservation|pedido|factura|bestell\w*|rechnung\w*"
    r"|commande|facture|encomenda|version|build|part|model|modell?|lot|batch|pin|puk|code|codigo|otp|score|population|parcel|bag tag|tag|tkt|ocr|kid|protocol\w*|contract|contrato|vertrag\w*|imei|meter|zahler\w*|barcode|"
    r"iccid|chip|euros?|eur|usd|dollars?|\$|coordinates|lat|lon|lng|zip|plz|postcode|lottery|uan|utr|medicare|svnr|ahv|nir|secu|hkid|nric|matricul\w*|instal\w*|bankverb\w*)\b"
)
_WORD = re.compile(r"[a-z$]")
"""Without any there is none of those: a column of numbers has a hundred thousand runs."""

_DATE = re.compile(
    r"(?:(?:(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01]))[-./ ](?:(?:19|20)\d\d|\d\d(?![ ]\d\d))(?:[ ,]+\d{1,2}(?:[:.]\d\d)?)?|(?:19|20)\d\d[-./ ]?\d{1,2}[-./ ]?\d{1,2}(?:[ ]\d{1,2})?|(?:19|20)\d\d ?- ?(?:19|20)\d\d"
    r"|\d{3}[-. ]\d{2}[-. ]\d{4}|\d{1,3}(?:\.\d{3}){2,4}|\d{1,3}(?: \d{3}){1,4})$"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .]\d{3}){1,4}$")
_EXTENSION = re.compile(r",? ?(?:x|ext(?:ension)?\.?|extn\.?|durchwahl|ramal|poste) ?\d{1,6}\b")
_UNIT = re.compile(
    r"\s?(?:[%]|eur|usd|gbp|euros?|dollars?|people|km|kg|miles|years|people|habitantes|einwohner|einw|ft|sq|bytes|users|rows|m\b|s\b|ms\b|kr\b|inhabitants)"
)
_SHAPES = re.compile(
    r"\(\d{2,5}\) ?\d{3,5}[-. ]?\d{3,5}(?:[- ]\d{2,4})?$"  # (301) 555-0162, (11) 98765-4321
    r"|(?:1[-. ])?[2-9]\d\d([-.])\d{3}\1\d{4}$|(?:1[-. ]?)?\(?[2-9]\d\d\)?[-. ]{1,2}[2-9]\d\d[-. ]\d{4}$"  # North America
    r"|0\d{2,5}[ /-]{1,3}\d{3,8}(?:[ -]\d{1,6}){0,3}$|0\d([ .-])\d\d(?:\2\d\d){3}$"  # 0621/5538142, 06 41 88 20 37
    r"|0\d{1,4} \d{2,4}(?: \d{2,4}){1,4}$|0[1-9]\d{8,9}$|0\d{3}[- ]\d{3}[- ]\d{3,4}$|0\d-\d{3,4}[- ]\d{2,4}(?:[- ]\d{2,4})?$"
    r"|[6-9]\d{4}[ -]\d{5}$|[689]\d\d \d\d \d\d \d\d$|[6-9]\d\d\.\d{3}\.\d{3}$|\d\d 9\d{4}[- ]\d{4}$|1[38]00[ -]\d{3}[ -]\d{3}$"
    r"|[2-9]\d\d \d{3} \d{4}$|(?:91|92|93|96|21|22) \d{3} \d\d \d\d$|9[1236]\d \d\d \d\d \d\d$|11 \d{4}-\d{4}$"
)
_ORDERED = re.compile(
    r"\b(?:orders?|parcel|ref|reference|invoice|serial|s/n|case|booking|ticket|tracking|sku|part|model|batch|lot|item|pedido|factura|commande|facture|bestell\w{0,8}|rechnung\w{0,8}|encomenda|fatura)"
    r"(?:[ -]?(?:id|no|nr|number|num|nummer|code|reference|ref))?\.?(?: (?:is|was|ist|es|est|e))?[ :#=(]{1,3}$"
)
"""It says that the zeros in front of a number are no code of a country."""

_REQUEST = 160  # characters
_ANSWERED = re.compile(
    r"(?:\bhttp/\d(?:\.\d)?[\"']?|\b(?:get|post|put|patch|delete|head|options) /\S{0,120}) $"
)
_STATUS = re.compile(r"[1-5]\d\d \d+(?: \d+)?$")
"""What a server answered to a request, and how much: in its log both stand behind it."""


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in _RUN.finditer(folded.text):
        start, end = match.span()
        run = match[0]
        if run.startswith("(") and ")" not in run:
            start, run = start + 1, run[1:]
        digits = sum(map(str.isdigit, run))
        if not 7 <= digits <= 15:
            continue
        international = run.startswith(("+", "(+")) or (run.startswith("00") and digits >= 11)
        if _DECIMALS.match(folded.text, end) and not international:
            continue
        if extension := _EXTENSION.match(low, end):
            end = extension.end()
        if international:
            if digits >= 8 and not (run[0] == "0" and _ORDERED.search(low, max(0, start - 40), start)):
                yield Hit("PHONE_NUMBER", start, end, 0.9)
            continue
        if _ANSWERED.search(low, max(0, start - _REQUEST), start) and _STATUS.match(run):
            continue
        before = low[max(0, start - 48) : start]
        if _UNIT.match(low, end) or before.endswith(("$", "€", "£", "eur ", "usd ", "$ ")):
            continue
        cue = None
        for met in _CUE.finditer(before[before.rfind("\n\n") + 1 :]) if _WORD.search(before) else ():
            cue = met
        spoken = cue is not None and cue["phone"] is not None
        if (
            _DATE.match(run)
            and not (spoken and _THOUSANDS.match(run))
            and not re.match(r"0\d \d\d \d\d \d\d|[2-9]\d\d[. -]\d{3}[. -]\d{4}", run)
        ):
            continue
        if spoken:
            yield Hit("PHONE_NUMBER", start, end, 0.85)
        elif (
            digits >= 9
            and cue is None
            and (
                _SHAPES.match(run) or (run[0] == "0" and run[1] != "0" and digits <= 12 and len(run) > digits)
            )
        ):
            yield Hit("PHONE_NUMBER", start, end, 0.7)


_KEYED = re.compile(
    r"[\"']?\b(?:phone|phones|mobile|cell|tel|telefono|telefon|telefone|celular|movil|handy|mobil|fax|whatsapp|portable|telephone|phone_?(?:no|number)|msisdn|contact_?(?:no|number))[\"']?"
    r"\s{0,3}[:=|,]\s{0,3}\[?[\"']?(\+?\d{7,15})(?=[\"'\s,;|}\]]|$)"
)


_DASHED = re.compile(
    r"\b(?:ph|phone|telephone|telefon|telefono|telefone|tel|tlf|mob|mobile|movil|cell|cel|handy|landline|fax|whats ?app|contact|call|hp)"
    r"(?: ?(?:no|nr|num|number))?[ .]{0,2}-(\+?\d(?:[ -]?\d){8,14})(?![\w@%$*])(?![-./:]\d)"
)
"""What it is called, and a dash right before it: Ph-98410."""


def _find_keyed(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    for match in _KEYED.finditer(folded.low):
        yield Hit("PHONE_NUMBER", match.start(1), match.end(1), 0.9)


def _find_dashed(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_DASHED, folded.low, ends, 40, 30):
        yield Hit("PHONE_NUMBER", match.start(1), match.end(1), 0.85)


RECOGNIZERS = (
    Recognizer("phones", (r"\d(?:[ ()./-]{0,4}\d){6}",), _find),
    Recognizer("phone fields", (r"[:=|,]\s{0,3}\[?[\"']?\+?\d{7}",), _find_keyed),
    Recognizer("phones behind dashes", (r"[a-z.] ?-\+?\d[ -]?\d[ -]?\d",), _find_dashed, every=True),
)
