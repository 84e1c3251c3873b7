"""Schools that are known by how they are named: Anne-Frank-Gesamtschule, Szko\u0142a Podstawowa nr 7, sunshine public school."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer

_GERMAN = re.compile(
    r"\b(?:an|auf|in|zur|zum|am|im|vom|von|aus|besuch\w{1,3}|unterrichte\w?)(?: de[rmn]| die| das)? "
    r"((?<![\w-])(?:[A-Z][\w.]{1,20}-){1,4}(?:Grund|Real|Haupt|Gesamt|Ober|Mittel|Werkreal|Berufs|Gemeinschafts)?-?"
    r"(?:[Ss]chule|Gymnasium|Berufskolleg))\b"
)
_POLISH = re.compile(
    r"\b((?:szko\w{1,3} \w{0,7}podstawow\w{1,3}|przedszkol\w{1,3}|lice\w{1,4} ogolnoksztalcac\w{1,4}) (?:nr|numer) \d{1,4})\b"
)
_INDIAN = re.compile(
    r"(?<![a-z] )(?<![a-z])((?:[a-z']{3,14} ){1,2}(?:public|convent|model|international) school)"
    r"(?= (?:me|mein|mei|se|ki|ka|ke)\b)"
    r"|\b(?:beti|beta|bacch?[aei]|ladk[ai]|behen|mummy|papa) ((?:[a-z']{3,14} ){1,2}(?:public|convent|model|international) school)"
    r"(?= (?:me|mein|mei|se|ki|ka|ke)\b)"
)

RECOGNIZERS = (
    recognizer(
        "ORGANIZATION",
        Form(
            "German schools",
            r"-(?:[a-z]{3,11})?(?:schule|gymnasium|berufskolleg)\b",
            _GERMAN,
            110,
            4,
            cased=True,
        ),
    ),
    recognizer("ORGANIZATION", Form("Polish schools", r"\b(?:nr|numer) \d{1,4}\b", _POLISH, 60, 2)),
    recognizer(
        "ORGANIZATION",
        Form("Indian schools", r"\b(?:public|convent|model|international) school\b", _INDIAN, 60, 8),
    ),
)
