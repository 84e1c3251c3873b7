"""Numbers that are said: "four six two zero", "papa bravo four", "double oh seven", "quatro cinco"; the words before tell what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, windows

_DIGIT = (
    r"(?:zero|oh|nought|naught|nil|one|two|three|four|five|six|seven|eight|nine|niner|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|um|dois|quatro|sete|oito|nove|meia"
    r"|null|eins|zwei|zwo|drei|vier|funf|sechs|sieben|acht|neun|un|deux|trois|quatre|cinq|sept|huit|neuf)"
)
_TEN = (
    r"(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|hundred"
    r"|diez|once|doce|trece|catorce|quince|dieci[a-z]{3,6}|veinti[a-z]{2,6}|veinte|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa"
    r"|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|soixante"
    r"|dez|doze|treze|deze[a-z]{4,5}|dezoito|vinte|trinta|quarenta|cinquenta|sessenta|oitenta"
    r"|zehn|elf|zwolf|(?:drei|vier|funf|sech|sieb|acht|neun)zehn|(?:(?:ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)und)?(?:zwanzig|dreis{1,2}ig|vierzig|funfzig|sechzig|siebzig|achtzig|neunzig))"
)
_LETTER = r"(?:alpha|alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu|[a-z](?: for \w{2,12}| as in \w{2,12}| wie \w{2,12}| de \w{3,12})?)"
_JOINT = r"(?:dash|hyphen|slash|stroke|dot|point|space|double|triple|treble|doppel|guion|strich|tiret|traco|then|and|et|uh|um|iran)"
_TOKEN = rf"(?:{_DIGIT}|{_TEN}|{_JOINT}|{_LETTER}|\d{{1,4}}[a-z]?)"
_RUN = re.compile(rf"(?<![\w'])(?:{_TOKEN}(?![\w'])[ ,.-]{{1,3}}){{2,40}}+(?:{_TOKEN}(?![\w']))?")
_SAID = re.compile(rf"{_DIGIT}|{_TEN}")
_SPELT = re.compile(_LETTER)
_FILLER = r"(?:and|then|uh|um|dot|point|space|a|i)"
_OPENING = re.compile(rf"(?:{_FILLER}\b[ ,.-]{{1,3}})+")
_CLOSING = re.compile(rf"[ ,.-]+(?:{_FILLER}[ ,.-]*)*$")
_KINDS = (
    ("CREDIT_CARD", r"card|visa|mastercard|amex|tarjeta|karte|carte|cartao|long number"),
    ("US_SSN", r"ssn|social|nine digit"),
    ("NATIONAL_ID", r"national insurance|nino|\bni\b|\bid\b|dni|cpf|aadhaar|national"),
    ("PASSPORT", r"passport|pasaporte|passeport|reisepass|passaporte"),
    ("DRIVER_LICENSE", r"licen[cs]e|fuhrerschein|permis"),
    ("LICENSE_PLATE", r"plate|\breg\b|registration|rego|kennzeichen|matricula|immatriculation|number ?plate"),
    ("BANK_ACCOUNT", r"account|sort(?: code)?|routing|acct|konto|cuenta|compte|conta|iban"),
    ("MEDICAL_ID", r"chart|patient|mrn|member|hospital|nhs|insurance|prescription|bracelet|policy"),
    ("SECRET", r"\bpin\b|code|password|passcode|combination|otp|clave|senha"),
    ("ADDRESS", r"post ?code|zip|address"),
    ("PHONE_NUMBER", r"phone|mobile|cell|call|ring|number|tel\w*|landline|movil|handy|whatsapp|celular|portable|nummer|numero|text me|reach"),
)  # fmt: skip
_CUES = re.compile("|".join(rf"(?P<{entity}>\b(?:{words}))" for entity, words in _KINDS))
_FAR = 130  # from the question to its answer
_LEAST = {"SECRET": 3, "LICENSE_PLATE": 3, "ADDRESS": 3, "BANK_ACCOUNT": 3}


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, done = folded.low, 0
    for end in sorted(set(ends)):
        if end <= done:
            continue
        at = max(done, end - 60)
        for run in _RUN.finditer(low, at, end + 400):
            done = run.end()
            yield from _read(folded, run)
            if done >= end:
                break
        done = max(done, end)


def _read(folded: Folded, run: re.Match[str]) -> Iterator[Hit]:
    low, (start, end) = folded.low, run.span()
    if opening := _OPENING.match(run[0]):
        start += opening.end()
    if closing := _CLOSING.search(low[start:end]):
        end = start + closing.start()
    tokens = re.findall(r"\w+", low[start:end])
    if "NULL" in folded.text[start:end] or not {*tokens} - {"null"}:
        return  # where nothing is known
    digits = sum(_SAID.fullmatch(one) is not None for one in tokens)
    numbers = digits + sum(one.isdigit() for one in tokens)
    letters = sum(_SPELT.fullmatch(one) is not None and one not in {"a", "i"} for one in tokens)
    if (not digits and letters < 3) or numbers + letters < 3:
        return
    cue = None
    for met in _CUES.finditer(low, max(0, start - _FAR), start):
        cue = met
    entity = cue.lastgroup if cue else None
    if entity is None:
        if digits >= 7:
            yield Hit("PHONE_NUMBER", start, end, 0.5)
        return
    if digits + letters >= _LEAST.get(entity, 4):
        yield Hit(entity, start, end, 0.7)


_THEN = r"(?:(?:and )?then|(?:und )?dann|(?:y )?(?:luego|despues)|(?:et )?(?:puis|ensuite)|(?:e )?(?:depois|entao))"
_TIMES = {
    **dict.fromkeys(("double", "doble", "doppel", "duplo", "zweimal"), 2),
    **dict.fromkeys(("triple", "treble", "triplo", "dreimal"), 3),
}
_TIMED = rf"(?:{'|'.join(_TIMES)})"
_PART = rf"(?:{_TIMED} )?(?:\d{{1,6}}|{_DIGIT})"
_PIECES = re.compile(
    rf"(?<![\w.,/:-])\+?\d{{2,6}}(?:[ ,-]{{1,3}}(?:{_THEN}[ ,]{{1,2}})?{_PART}(?![\w%])){{1,12}}+"
)
_JOINED = re.compile(rf"(?:{_THEN}|{_TIMED}) (.*)")
_OF_PHONES = re.compile(
    r"\b(?:phones?|mobile|cell|number|nr|no|tel\w*|landline|movil|handy\w*|whatsapp|celular|portable|nummer|numero|fone"
    r"|(?:call|ring|text|reach|phone|llam\w{1,4}|appel\w{1,4}|ruf\w{0,2}|lig\w{1,3})[ -](?:me|him|her|us|them|back|moi|nous|mich|uns))\b[^\n]{0,30}$"
)
_FULL = range(7, 16)


def _find_pieces(folded: Folded, ends: Ends) -> Iterator[Hit]:
    """Telephone numbers that are said in pieces: "98400 then 5 5 then 127", "0412 triple 8 073"."""
    low = folded.low
    for start, stop in windows(ends, 60, 80):
        for run in _PIECES.finditer(low, start, stop):
            if not _JOINED.search(run[0]):
                continue
            count, times = 0, 1
            for word in re.findall(r"\w+", run[0]):
                if word in _TIMES:
                    times = _TIMES[word]
                elif word.isdigit() or _SAID.fullmatch(word):
                    count += (len(word) if word.isdigit() else 1) * times
                    times = 1
            if count in _FULL and _OF_PHONES.search(low, max(0, run.start() - 90), run.start()):
                yield Hit("PHONE_NUMBER", *run.span(), 0.75)


RECOGNIZERS = (
    Recognizer(
        "numbers in pieces",
        (rf"\d[ ,]{{1,3}}(?:{_THEN}[ ,]{{1,2}}(?:\d|{_TIMED})|{_TIMED} \d)",),
        _find_pieces,
        every=True,
    ),
    Recognizer(
        "spoken numbers",
        (
            rf"\b{_DIGIT}[ ,-]{{1,2}}(?:{_DIGIT}|{_TEN}|{_JOINT}|[a-z]|\d{{1,4}})\b",
            rf"\b{_TEN}[ ,-]{{1,2}}(?:{_DIGIT}|{_TEN}|[a-z])\b",
            rf"\b(?:double|triple|doppel)[ -](?:{_DIGIT}|[a-z])\b",
            r"\b(?:alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whiskey|yankee|zulu|[a-z] for \w{2,12}) \w",
        ),
        _find,
        every=True,
    ),
)
