"""People who are named for a role in private life: "the will names X and Y as executors", "Next of kin: X".

A text in the third person reads like one about the world, and a model finds nobody in it. What a will, a lease,
a school or a ward asks somebody to be, nobody is to all the world; whom all the world knows stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

_ROLES: Final = (
    r"(?:executors?|executrix|trustees?|beneficiar(?:y|ies)|guarantors?|next of kin|(?:legal )?guardians?|godparents?|godmother|godfather|heirs?|attorney-in-fact|conservators?"
    r"|witness(?:es)?|emergency contacts?|petitioners?|respondents?|plaintiffs?|defendants?|claimants?|co-?signers?|tenants?|subtenants?|lodgers?|proxy|proxies|bridesmaids?|best man|pallbearers?"
    r"|albaceas?|avalistas?|fiador(?:es|as?)?|hereder[oa]s?|testamentsvollstrecker(?:in)?|burgen?|erbin|erben?|executeurs? testamentaires?|garants?|heritiers?|testamenteir[oa]s?|herdeir[oa]s?)"
)
_WORD: Final = (
    r"(?:[OD]['\u2019])?[A-Z\u00c0-\u00de\u0141-\u017d][^\W\d_]{1,20}+(?:['\u2019-][^\W\d_]{1,20}+)?"
)
_NAME: Final = re.compile(
    rf"{_WORD}(?: (?:[A-Z]\.|(?:de|da|dos|del|van|von|der|den|di|bin|al)\b(?: la\b)?|{_WORD})){{0,2}} {_WORD}"
)
_NAMES: Final = (
    rf"({_NAME.pattern}(?:(?:, (?:and )?| and | & | or | und | y | et | e ){_NAME.pattern}){{0,4}})"
)
_ONE_OF: Final = r"(?:(?:the|an?|my|her|his|our|their|your|joint|sole|only|main|first|second|co-?|su|sus|als|el|la|os?|as?) ?){0,3}"
_SAID: Final = re.compile(
    r"\b(?:[Nn]am(?:es?|ed|ing)|[Aa]ppoint(?:s|ed|ing)?|[Nn]ominat(?:es?|ed|ing)|[Ll]ist(?:s|ed|ing)?|[Dd]esignat(?:es?|ed|ing)|[Hh]as|[Hh]ave|[Hh]ad|[Mm]a(?:kes?|de)|[Pp]ut|nombra(?: a)?|nomeia|nomme|benennt|nennt|setzt) "
    + _NAMES
    + rf" (?:as|to be|down as|como|als|comme) {_ONE_OF}(?i:{_ROLES})\b"
    + rf"|\b(?i:{_ROLES})(?: ?[:=] ?| (?:is|are|was|were) (?:now |still )?)"
    + _NAMES
    + r"(?![\w'\u2019])|"
    + _NAMES
    + rf" (?:is|are|was|were) (?:(?:both|also|jointly|now|still) )?(?:(?:named|listed|appointed|put down|down) as )?{_ONE_OF}(?i:{_ROLES})\b"
)
_REACHED: Final = re.compile(rf"\b(?i:{_ROLES}) ?[:=]? ?({_WORD}),? (?=[+(]?\d[\d ()-]{{6}})")
"""A first name, and a phone behind it."""

_REACH: Final = 170
_NOBODY: Final = re.compile(
    r"\b(?:the|this|that|your|each|both|bank|trust|company|limited|ltd|llp|llc|inc|plc|gmbh|court|church|council|university|college|school|hospital|insurance|state|county|city|party"
    r"|tenants?|landlords?|owners?|members?|partners?|parents?|children|child|spouse|plaintiffs?|defendants?|trustees?|executors?|law|act|article|section)\b"
)
"""What holds a role without being a person, or is a word for whoever it will be."""


_NO_NAME: Final = re.compile(
    r"(?:unit|flat|room|apt|apartment|no|nr|number|phone|tel|tele\w+|mobile|mob|cell|contact|details|id|ref|case|claim|policy|office|line|hotline|contacts?|numero|nummer|am|on|at|is|the|call)$"
)


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    from vault.redaction.names import is_famous, may_be_a_name

    for match in around(_SAID, folded.text, ends, _REACH, _REACH):
        for one in _NAME.finditer(folded.text, *match.span(match.lastindex or 0)):
            low = folded.low[one.start() : one.end()]
            if may_be_a_name(one[0]) and not _NOBODY.search(low) and not is_famous(one[0]):
                yield Hit("PERSON", *one.span(), 0.6)
    for match in around(_REACHED, folded.text, ends, 30, 60):
        if not _NO_NAME.match(match[1].lower()):
            yield Hit("PERSON", *match.span(1), 0.6)


RECOGNIZERS = (Recognizer("people in roles", (rf"\b{_ROLES}\b",), _find, every=True),)
