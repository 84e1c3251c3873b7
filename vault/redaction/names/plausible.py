"""What a value must have to be one, whatever the network thinks of the words around it."""

from __future__ import annotations

import re
from typing import Final

from vault.redaction.folding import fold
from vault.redaction.patterns.ages import is_no_lifetime
from vault.redaction.technical import is_a_record, is_technical
from vault.redaction.wares import is_a_model, is_an_amount

# fmt: off
_NUMBERS: Final = frozenset(
    [
        "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
        "hundred", "double", "triple", "cero", "uno", "una", "dos", "tres", "cuatro", "cinco", "seis",
        "siete", "ocho", "nueve", "diez", "once", "doce", "trece", "catorce", "quince", "veinte",
        "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa", "cien", "null",
        "eins", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
        "zwölf", "dreizehn", "vierzehn", "fünfzehn", "zwanzig", "dreißig", "vierzig", "fünfzig",
        "sechzig", "siebzig", "achtzig", "neunzig", "hundert", "un", "une", "deux", "trois", "quatre",
        "cinq", "sept", "huit", "neuf", "dix", "onze", "douze", "treize", "seize", "vingt", "trente",
        "quarante", "cinquante", "soixante", "quatre-vingt", "cent", "um", "uma", "dois", "duas", "três",
        "quatro", "sete", "oito", "nove", "dez", "doze", "treze", "quatorze", "quinze", "vinte", "trinta",
        "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa", "cem", "first", "second",
        "third", "fourth", "fifth",
    ]
)
# fmt: on
_MONTHS: Final = (
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic|mär|mai|okt|dez|fév|avr|juin|juil|août"
    r"|déc|fev|set|out)"
)
_MONTH: Final = re.compile(_MONTHS, re.IGNORECASE)
_DATE: Final = re.compile(
    r"(?<![\w./-])(?:\d{1,4}([./-])\d{1,2}\1\d{1,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of| de)?[ -]{_MONTHS}[^\W\d_]{{0,9}}\.?,?(?: de)?(?:[ -]\d{{4}})?"
    rf"|{_MONTHS}[^\W\d_]{{0,9}}\.? \d{{1,2}}(?:st|nd|rd|th)?,?(?: \d{{4}})?)(?!\w|[./-]\d)",
    re.IGNORECASE,
)
_DAY_IN_WORDS: Final = re.compile(
    rf"(?<!\w)([^\W\d_]{{2,16}})(?: de)? {_MONTHS}[^\W\d_]{{0,9}}(?:,? (?:de )?\d{{4}})?(?!\w)", re.IGNORECASE
)
_PART: Final = re.compile(r"[^\W\d_]+")
_ELEMENT: Final = (
    r"(?:A[glsu]|B[aer]?|C[adlorsu]?|F[er]?|H[eg]?|I|K|Li|M[gno]|N[aeibd]?|O|P[bdt]?|S[bcenir]?|Ti|U|V|Zn)"
)
_FORMULA: Final = re.compile(rf"(?=[A-Za-z]{{1,6}}\d{{1,2}}[A-Z])(?:{_ELEMENT}(?!\d\d\d)\d{{0,2}}){{2,12}}")
"""What matter is made of: Na2SO4."""

_NOBODY: Final = {
    "PERSON": re.compile(  # no letter, one letter, a title, one of several machines
        r"[\W\d_]+|[a-z]|(?i:(?:thread|worker|node|host|server|client|task|job|process|agent|user|session|shard)"
        r"[-_ ]?\d{1,4})"
        r"|(?i:mrs?|ms|mx|miss|dr|drs|prof|sir|madam|herr|frau|monsieur|madame|señora?|senhora?)\.?"
    ),
    "LOCATION": re.compile(
        r"(?i:[a-z]\.?|(?:national )?park|city|town|village|district|county|state|square|street|road|avenue"
        r"|way|view|river|beach|island|reihe|platz|plätze|sitz|wagen|gleis)"
    ),
    "ORGANIZATION": re.compile(r"[a-z]{3,}\d{1,2}"),  # thread1, node12: one of several
}
_DIGITS: Final = re.compile(r"\d+")
_COUNT: Final = re.compile(r"(?<![\w.,-])\d{1,3}(?!\d|[.,:]\d)")
_LIST: Final = re.compile(r"[,;]| (?:and|or|y|o|und|oder|et|ou|e) ")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_AT: Final = re.compile(r"@|\bat\b|\barroba\b|\bet\b|\(a\)|\[at\]|\uff20", re.IGNORECASE)
_DOT: Final = re.compile(r"[./:]|\bdot\b|\bpunto\b|\bpunkt\b|\bpoint\b|\bponto\b", re.IGNORECASE)
_AMOUNT: Final = re.compile(
    r"[\d.,]+ ?(?:units|pieces|pcs|items|boxes|bags|bottles|pages|words|people|users|points|calories|steps"
    r"|days|hours|minutes|percent|euros?|dollars|pounds|usd|eur|gbp|kg|grams?"
    r"|km|miles|rpm|hp|mm|cm|ml|gb|mb)"
)
_LEAST: Final = {  # digits
    "PHONE_NUMBER": 4,  # an extension
    "CREDIT_CARD": 3,
    "BANK_ACCOUNT": 2,
    "NATIONAL_ID": 2,
    "MEDICAL_ID": 2,
    "PASSPORT": 2,
    "DRIVER_LICENSE": 2,
    "LICENSE_PLATE": 1,
}
_SPOKEN: Final = 3  # number words that make a number
_SHORT: Final = 2  # digits of a flat alone, letters of a mere abbreviation, signs that keep no secret
_LONGEST_PHONE: Final = 15  # digits, by E.164
_WHOLE_PHONE: Final = 6  # digits, where several numbers stand in a row
_WHOLE_CARD: Final = 12  # digits; fewer are how one ends, or no card's
_ENDING: Final = 4
_DASHED: Final = re.compile(r"\d+-\d{5,}-\d{5,}")
_PLAIN: Final = re.compile(r"[\d .-]+")
_LISTED: Final = 2  # numbers; more without a word are a list
_COUNTED: Final = re.compile(
    r"\b(?:tokens(?: used| left)?|count|limit|length|budget|quota|attempts|retries|cost|coverage|size|total"
    r"|maximum|minimum|at least|at most|up to|anzahl|länge|límite|limite|longueur|tamanho|longitud)[\"']?"
    r"(?: is| was| of| ist| es| est| é)?[\s:=]{0,3}$",
    re.IGNORECASE,
)
"""It says what the number behind it counts."""

_ROW: Final = re.compile(r"(?<![\w.,/-])\d{3,5}, ?$")
"""Another number: it is one of several."""

_DOCKET: Final = re.compile(
    r"(?:\d:)?\d\d-(?:ap|bk|cr|cv|mc|md|mj|po)-\d{3,6}(?:-[a-z]{2,4}){0,3}", re.IGNORECASE
)
"""The number of a case before a court of the United States."""

_MEASURES: Final = re.compile(
    r"\d{1,4}(?:[.,]\d)?(?: ?[x×*] ?\d{1,4}(?:[.,]\d)?){1,3}(?: ?[cm]?m)?"  # noqa: RUF001
)
"""Length by width by height."""

_NTH: Final = re.compile(r"\d{1,3}(?:st|nd|rd|th)", re.IGNORECASE)
_SOMEBODYS: Final = re.compile(
    r"(?:\b(?:my|his|her|their|our|your|turn(?:s|ing|ed)?|happy|own|big)|['’]s|s['’]) $",  # noqa: RUF001
    re.IGNORECASE,
)
_BIRTHDAY: Final = re.compile(
    r" ?(?:birthday|bday|b-day|party|bash|for (?:my|our|his|her|their)\b)", re.IGNORECASE
)
_OF_OTHERS: Final = re.compile(
    r" ?(?:(?:wedding )?anniversary|wedding|years?|yrs?|grade|floor|round|season|edition|time|week|day|month"
    r"|lesson|episode|street|st|avenue|ave|place|goal|game|book|album|attempt|century|step|row|line|session|visit)\b",
    re.IGNORECASE,
)
_DAY_OF: Final = re.compile(r"\b(?:(?<!\bi )am|vom|zum|bis|ab|den|dem|beim) $", re.IGNORECASE)
_DAY_ENDS: Final = re.compile(r"\. (?!geburtstag|wiegenfest)[a-zäöü]")
_THINGS: Final = re.compile(
    r"\b(?:match|game|lobby|quest|replay|raid|dungeon|message|order|run|job|session|transaction|container"
    r"|build|trace|request|ticket|booking)[ _-]ids?\W{0,3}$",
    re.IGNORECASE,
)
_SENT: Final = re.compile(
    r"\b(?:parcels?|package|tracking|shipment|consignment|sendung|paket|paquete|env[íi]o|colis|encomenda)"
    r"(?: (?:no|number|nr))?\W{1,3}$",
    re.IGNORECASE,
)
_PRICED: Final = re.compile(r"[.,](?!5(?!\d))\d")
_FAULT: Final = re.compile(r"[PBCU][0-3][0-9A-F]{3}", re.IGNORECASE)
_ENGINE: Final = re.compile(
    r"\b(?:dtcs?|obd\w*|engine|fault|trouble|ecu|egr|scanner|diagnos\w*)\b"
    r"|(?<!door )(?<!gate )(?<!alarm )(?<!access )(?<!entry )(?<!lock )(?<!safe )(?<!pin )(?<!security )"
    r"(?<!pass)\bcodes?:? $",
    re.IGNORECASE,
)
_DAY: Final = re.compile(r"\d{1,2}([-./])\d{1,2}\1(?:(?:19|20)\d\d|\d\d)")
_CUT_IN: Final = re.compile(r"\b(?:inscri\w+|engrav\w+|dated|stamped|wedding)\b", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-5]\d\d \d+")
_ANSWERED: Final = re.compile(r"\bHTTP/\d(?:\.\d)?[\"']? $|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) ?/\S* $")
_CHIP: Final = re.compile(r"(?:RX|RTX|GTX) ?\d{3,4}(?: ?(?:XTX?|Ti|Super|GRE))?", re.IGNORECASE)
_UPDATE: Final = re.compile(r"KB ?\d{6,7}", re.IGNORECASE)
_SEAT: Final = re.compile(r"\d{1,2}[A-EGHJKL]")
_LETTERED: Final = re.compile(r"\d{1,2}[FM]")
_SEATED: Final = re.compile(
    r"\b(?:\d{1,2}[A-EGHJKL](?:[ ,/&+]{1,3}(?:and|or|y|o|und|oder|et|ou|e)?[ ]?)"
    r"|(?:seats?|row|sitz\w*|platz|plätze|reihe|asientos?|fila|siège|place|assento|lugar)[ :]{1,2})$",
    re.IGNORECASE,
)
_SEAT_BEHIND: Final = re.compile(r"(?:[ ,/&+]{1,3}(?:and|or|y|o|und|oder|et|ou|e)?[ ]?)\d{1,2}[A-EGHJKL]\b")
_PLACED: Final = re.compile(r"(?:\d{1,3}, ?)?(?:Platz|Sitz(?:platz)?|Reihe|Wagen|Gleis|Rang) \d{1,3}")
_HOST: Final = re.compile(r"[a-z\d-]+\.[a-z]", re.IGNORECASE)
_IDS: Final = frozenset({"MEDICAL_ID", "NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE"})

_LONG: Final = frozenset({"PHONE_NUMBER", "CREDIT_CARD", "ADDRESS"})
"""Kinds of which a short number is at most a part."""

BEFORE: Final = 6
"""Tokens before a value that say what it counts."""


def counts(entity: str, value: str, before: str) -> bool:
    """Say whether a value is but a number, and what stands before it says that it counts something."""
    if not value.strip().isdigit():
        return False
    if entity in _LONG and len(value.strip()) < _WHOLE_PHONE:
        return _ROW.search(before) is not None
    return entity == "SECRET" and _COUNTED.search(before) is not None


_UUID: Final = re.compile(
    r"(?=[0-9-]{0,35}[a-f])(?:[0-9a-f]{8})?-?(?:[0-9a-f]{4}-){2,3}[0-9a-f]{12}", re.IGNORECASE
)
"""Also without its beginning, which may stand too far before."""


def is_other(entity: str, value: str, before: str, after: str) -> bool:  # noqa: PLR0911 (one for each kind)
    """Say whether what stands around a value says that it is another thing.

    The code of an engine's fault, an algorithm, the id of a game, the date in a ring, a car, a rank, what a
    server answered, or an age as below.
    """
    if _is_part_of_uuid(value, before, after):
        return True
    value = value.strip()
    match entity:
        case "AGE":
            return _is_no_age(value, before, after)
        case "PHONE_NUMBER":
            return _STATUS.fullmatch(value) is not None and _ANSWERED.search(before) is not None
        case "ADDRESS":
            return _PLACED.fullmatch(value) is not None
        case "EMAIL_ADDRESS":  # half of one that the patterns have left to its company
            return value.endswith("@") and _HOST.match(after) is not None
        case "SECRET":
            is_fault = _FAULT.fullmatch(value) is not None and _ENGINE.search(before) is not None
            return is_fault or is_technical(value) or is_a_record(value, before)
        case "LICENSE_PLATE":
            opening = before.lower()
            whole = opening + value.lower()
            return is_an_amount(value) or is_a_model(whole, len(opening), len(whole))
        case _ if entity in _IDS:
            engraved = _DAY.fullmatch(value) is not None and _CUT_IN.search(before) is not None
            return (
                engraved
                or _SENT.search(before) is not None
                or _CHIP.fullmatch(value) is not None
                or _UPDATE.fullmatch(value) is not None
                or _THINGS.search(before) is not None
            )
        case _:
            return False


def _is_part_of_uuid(value: str, before: str, after: str) -> bool:
    if "-" not in value and not before.endswith("-") and not after.startswith("-"):
        return False
    start, text = len(before), before + value + after
    end = start + len(value.rstrip())
    return any(
        one.start() <= start and end <= one.end() and one.span() != (start, end)
        for one in _UUID.finditer(text)
    )


def _is_no_age(value: str, before: str, after: str) -> bool:
    """Say whether a number is the 50th of an anniversary, a day of a month, or the 17 of a price."""
    if _NTH.fullmatch(value):
        of_others = not _SOMEBODYS.search(before) or _OF_OTHERS.match(after) is not None
        return of_others and not _BIRTHDAY.match(after)
    if is_no_lifetime(fold(before).low, fold(value + after).low):
        return True
    if _DAY_OF.search(before) and _DAY_ENDS.match(value.lstrip("0123456789") + after):
        return True
    if _is_seat(value, before, after):
        return True
    if value.endswith((".", ",")):
        return after[:1].isdigit()
    return value[-1:].isdigit() and _PRICED.match(after) is not None


def _is_seat(value: str, before: str, after: str) -> bool:
    """Say whether a number and its letter are a place in a plane; F and M may be a woman's and a man's."""
    if _SEAT.fullmatch(value):
        return True
    return _LETTERED.fullmatch(value) is not None and (
        _SEATED.search(before) is not None or _SEAT_BEHIND.match(after) is not None
    )


def dated(text: str, start: int, stop: int) -> tuple[int, int]:
    """Give the whole of the dates of which a part was found."""
    in_words = (one for one in _DAY_IN_WORDS.finditer(text) if _is_day(one[1].casefold()))
    for date in (*_DATE.finditer(text), *in_words):
        if date.start() < stop and start < date.end():
            start, stop = min(start, date.start()), max(stop, date.end())
    return start, stop


def _is_day(word: str) -> bool:
    """Say whether a word is the number of a day: "dois", "zwölften"."""
    return word in _NUMBERS or word.endswith("ten")


_ROW_OF_SQL: Final = re.compile(r"\(\d{1,3},")
"""Begins a row: its number."""


def plausible(entity: str, value: str) -> bool:  # noqa: PLR0911 (one for each kind)
    """Say whether a value can be what it was taken for."""
    if entity in _LEAST:
        return _is_number(entity, value) or _said(value) >= _SPOKEN
    match entity:
        case "AGE":
            return (_COUNT.search(value) is not None and not _YEAR.search(value)) or _said(value) > 0
        case "DATE_OF_BIRTH" if _ROW_OF_SQL.fullmatch(value.strip()):
            return False
        case "DATE_OF_BIRTH":
            return any(map(str.isdigit, value)) or _said(value) > 0 or _MONTH.search(value) is not None
        case "EMAIL_ADDRESS":
            return _AT.search(value) is not None
        case "URL":
            return _DOT.search(value) is not None
        case "SECRET":
            bare = value.strip(" ,.")
            is_none = _MEASURES.fullmatch(bare) is not None or bare in {"http", "https"}  # of an address
            return sum(map(str.isalnum, value)) > _SHORT and not is_none
        case "PERSON" | "LOCATION" | "ORGANIZATION":
            is_matter = entity == "PERSON" and _FORMULA.fullmatch(value.strip()) is not None
            return not is_matter and _NOBODY[entity].fullmatch(value.strip()) is None
        case "ADDRESS":
            return _is_address(value)
        case _:
            return True


def _is_address(value: str) -> bool:
    """Say whether a value is no amount of something, and not too short."""
    words, numbers = _PART.findall(value), _DIGITS.findall(value)
    if not words:
        return len(numbers) <= _LISTED and len("".join(numbers)) > _SHORT
    if _AMOUNT.fullmatch(value.strip(" ,.")):
        return False
    return len("".join(numbers)) > _SHORT or any(len(word) > _SHORT for word in words)


def _is_number(entity: str, value: str) -> bool:
    """Say whether a value has the digits of its kind, in one place."""
    bare = value.strip(" ,.")
    if entity == "PHONE_NUMBER":
        parts = _LIST.split(bare)
        is_longer = _DASHED.fullmatch(bare) is not None and _digits(bare) > _LONGEST_PHONE
        least = _LEAST[entity] if len(parts) == 1 else _WHOLE_PHONE
        return not is_longer and max(map(_digits, parts)) >= least
    if entity == "CREDIT_CARD" and _PLAIN.fullmatch(bare) and _ENDING < _digits(bare) < _WHOLE_CARD:
        return False
    is_another = any(form.fullmatch(bare) for form in (_YEAR, _MEASURES, _DOCKET))
    if is_another or _digits(value) < _LEAST[entity]:
        return False
    if entity != "LICENSE_PLATE":
        return True
    if not bare.isupper() and _FORMULA.fullmatch(bare):
        return False
    rest = _YEAR.sub("", bare)
    return _digits(rest) > 0 or (rest.isupper() and sum(map(str.isalpha, rest)) > 1)


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value))


def _said(value: str) -> int:
    return sum(part in _NUMBERS for part in _PART.findall(value.casefold()))
