"""Numbers of papers and accounts that their form gives away, with or without a word nearby."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer

_BRITISH = re.compile(r"(?<![\w-])([A-Z]{2,5}9{0,3} \d{6} [A-Z][A-Z9]\d[A-Z]{2}(?: \d\d)?)(?![\w-])")
_BRITISH_LOW = re.compile(
    r"(?<![\w-])((?!(?:is|no|nr|num|my)\b)[a-z]{2,5}9{0,3} \d{6} [a-z][a-z9]\d[a-z]{2}(?: \d\d)?)(?![\w-])"
)
_LICENCE = re.compile(r"\b(?:licen[cs]e|licen[cs]es|driv\w{2,4}|dvla|dl)\b")
_BRAZILIAN = re.compile(r"(?<![\w.-])(\d{3}\.\d{3}\.\d{3}-\d\d)(?![\w-]|\.\d)")
_COLOMBIAN = re.compile(
    r"(?<![\w.])(?:c\. ?[ce]\.|cc|t\.i\.)(?: n(?:o\.?|ro\.?|um\.?|\.))?[: ]{1,3}(\d{1,2}(?:\.\d{3}){2}|1(?:\.\d{3}){3})(?![\w-]|[.,]\d)"
)
_SWISS = re.compile(r"(?<![\w.-])(756\.\d{4}\.\d{4}\.\d\d)(?![\w-]|\.\d)")
_GERMAN = re.compile(r"(?<![\w-])(\d\d \d{6} [A-Z] \d{3})(?![\w-]|[.,]\d)")
# Its last letter is often wrong.
_ITALIAN = re.compile(r"(?<![\w-])([A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z])(?![\w-])")
_EMIRATES = re.compile(r"(?<![\w-])(784-(?:19|20)\d\d-\d{7}-\d)(?![\w-])")
_PASS = re.compile(r"\bpass(?:\.|:| no\.?)? ([A-Z]{1,2}\d{6,8})(?![\w-])")
_INSURED = re.compile(r"(?<![\w-])([A-Z](?:\d{9}| ?\d{3} \d{3} \d{3}))(?![\w-])")
_INSURERS = re.compile(
    r"\b(?:kv|krankenk\w{2,6}|krankenvers\w{2,10}|kasse|versich\w{2,16}|vers|aok|debeka|versichertenkarte|barmer|dak|ikk|bkk|uberweisung|ehic|gesundheitskarte)\b"
)
_POLISH = re.compile(r"(?<![\w-])(\d{2}(?: \d{4}){6})(?![\w-]| \d)")
_BRANCH = re.compile(
    r"\b(?:agencia|ag)\.?:? ?(\d{4}(?:-[\dx])?)(?![\w-]|[.,]\d)"
    r"|\b(?:conta|c/c)(?: corrente| poupanca)?:? ?(?:n\S{0,2} )?(\d{1,3}(?:\.\d{3}){1,2}-[\dx]|\d{4,8}-[\dx])(?![\w-]|[.,]\d)"
)
_BIC = re.compile(
    r"\b(?i:bic|swift|swift code|bic/swift)(?i: is| code)?[ :=]{1,3}([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)(?!\w)"
)
_NUMBER = re.compile(r"\d{6}|\d{4} \d{4}")  # of an account: a question on a bank has none
_SORT = re.compile(
    r"\bsort\b[^\n\d;!]{0,30}(\d\d-\d\d-\d\d)(?![\w-]|[.,]\d)"
    r"|(?<![\w-])(\d\d-\d\d-\d\d),? (?:acc|acct|account|a/c)\b"
)
_MASKED = re.compile(
    r"\b(?:checking|savings|account|acct|acc|bank|current)[ :]{0,2}(?:\*{2,16}|x{2,16}|\.{2,16}|\x01{1,4})[ -]?(\d{4})(?![\w-]|[.,]\d)"
)
_PLATE = re.compile(r"(?<![\w-])([A-Z]{2}\d{2} [A-Z]{3})(?![\w-])")
_ANOTHER = re.compile(
    r"\b(?i:old|new|other|second|first|previous|expired|current|hers|his|mine|theirs|wife's|husband's|son's|daughter's)\b(?:(?!ticket|order|flight|ref|visa|booking)[^\n\d.;!?]){0,24}[ ,:]([A-Z]{1,2} ?\d{6,8})(?![\w-])"
)
_PASSPORT_ASKED = re.compile(r"\bpassports?\b[^\n?]{0,60}\?")
_GUESSED = re.compile(r"(?<![\w?*-])([A-Z0-9?*]{2,7}[ -][A-Z0-9?*]{2,5}[A-Z0-9])(?![\w?*-])")
_PLATE_ASKED = re.compile(
    r"\b(?:(?:number ?)?plates?|registration|reg|rego|kennzeichen|matricula|immatriculation|targa|dashcam)\b"
)
_EMIRATE = re.compile(
    r"\b((?:Dubai|Abu Dhabi|Sharjah|Ajman|Fujairah|RAK|Ras Al Khaimah|UAQ|Umm Al Quwain) (?:[A-Z]{1,2}|\d{1,2}) ?\d{3,5})(?![\w-])"
)
_CAR = re.compile(r"\b(?:cars?|plates?|vans?|suv|vehicles?|parked|driver|salik|taxi|truck|pickup|motor\w*)\b")


def _is_guessed(value: str, _before: str) -> bool:
    """Some of its letters could not be read, and the others are those of a plate."""
    return (
        re.search(r"[?*][A-Z0-9-]", value) is not None
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
    )


def _is_no_sum(value: str, _before: str) -> bool:
    return not value.endswith(".000")


_FORMS = (
    ("DRIVER_LICENSE", Form("British licences", r"\b[a-z]{2,5}9{0,3} \d{6} [a-z]", _BRITISH, 14, 10, cased=True)),
    ("DRIVER_LICENSE", Form("British licences, in small letters", r"\b[a-z]{2,5}9{0,3} \d{6} [a-z]", _BRITISH_LOW, 14, 10, where=_LICENCE)),
    ("NATIONAL_ID", Form("CPF", r"\d{3}\.\d{3}\.\d{3}-\d\d", _BRAZILIAN, 15, 2)),
    ("NATIONAL_ID", Form("cedulas", r"\b(?:c\. ?[ce]\.|cc|t\.i\.)[^\n\d]{1,8}\d{1,2}\.\d{3}\.\d{3}", _COLOMBIAN, 24, 8, fits=_is_no_sum)),
    ("NATIONAL_ID", Form("AHV", r"\b756\.\d{4}\.\d{4}\.\d\d", _SWISS, 17, 2)),
    ("NATIONAL_ID", Form("German pensions", r"\b\d\d \d{6} [a-z] \d{3}\b", _GERMAN, 16, 2, cased=True)),
    ("NATIONAL_ID", Form("codice fiscale", r"\b[a-z]{6}\d\d[a-z]\d\d[a-z]\d{3}[a-z]\b", _ITALIAN, 17, 2, cased=True)),
    ("NATIONAL_ID", Form("Emirates ID", r"\b784-\d{4}-\d{7}-\d", _EMIRATES, 19, 2)),
    ("PASSPORT", Form("passports in short", r"\bpass[.: ]", _PASS, 6, 20, cased=True)),
    ("BANK_ACCOUNT", Form("Polish accounts", r"\d \d{4} \d{4} \d{4} \d{4} \d{4} \d{4}", _POLISH, 34, 2)),
    ("MEDICAL_ID", Form("insured persons", r"\b[a-z] ?\d{3} ?\d{3} ?\d{3}\b", _INSURED, 15, 2, cased=True, where=_INSURERS)),
    ("BANK_ACCOUNT", Form("branches", r"\b(?:agencia|ag|conta|c/c)\b", _BRANCH, 10, 34)),
    ("BANK_ACCOUNT", Form("BIC", r"\b(?:bic|swift)\b", _BIC, 8, 30, cased=True, where=_NUMBER)),
    ("BANK_ACCOUNT", Form("sort codes", r"\bsort\b[^\n\d]{0,30}\d\d-\d\d-\d\d|\d\d-\d\d-\d\d,? acc|\d\d-\d\d-\d\d,? a/c", _SORT, 44, 8)),
    ("BANK_ACCOUNT", Form("masked accounts", r"\b(?:checking|savings|account|acct|acc|bank|current)\b", _MASKED, 10, 26)),
    ("PASSPORT", Form("other passports", r"\b[a-z]{1,2} ?\d{6,8}\b", _ANOTHER, 50, 2, cased=True, where=_PASSPORT_ASKED)),
    ("LICENSE_PLATE", Form("plates half read", r"[a-z0-9][?*][a-z0-9 -]", _GUESSED, 12, 12, cased=True, where=_PLATE_ASKED, fits=_is_guessed)),
    ("LICENSE_PLATE", Form("plates of the Emirates", r"\b(?:dubai|abu dhabi|sharjah|ajman|fujairah|rak|ras al khaimah|uaq|umm al quwain) (?:[a-z]{1,2}|\d)", _EMIRATE, 20, 10, cased=True, where=_CAR)),
    ("LICENSE_PLATE", Form("British plates", r"\b[a-z]{2}\d{2} [a-z]{3}\b", _PLATE, 9, 2, cased=True)),
)  # fmt: skip
RECOGNIZERS = tuple(recognizer(entity, form) for entity, form in _FORMS)
