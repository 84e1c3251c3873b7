"""Dates of birth: a date that the words around it call one. Other dates stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

MONTH = (
    r"(?:jan(?:uary|uar|ner|v(?:ier|\.)?|eiro)?|feb(?:ruary|ruar|rero|y)?|fev(?:rier|ereiro)?|mar(?:ch|z|s|zo|co)?|marz|maerz|apr(?:il)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maio|jun(?:e|i|io|ho)?|juin|jul(?:y|i|io|ho)?|juillet"
    r"|aug(?:ust|st)?|ago(?:sto)?|aout|sep(?:t(?:ember|embre|iembre)?)?|set(?:embro|iembre)?|o[ck]t(?:ober|obre|ubre)?|out(?:ubro)?|nov(?:ember|embre|iembre|embro)?|de[csz](?:ember|embre|embro)?|dic(?:iembre)?|ene(?:ro)?|mei|gennaio|maggio|giugno|luglio|settembre|ottobre|dicembre|januari|februari|maart|augustus|desember|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia"
    r"|agu(?:stus)?|ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos|eylul|ekim|kasim|aralik|gen|mag|giu|lug|ott)"
)
_YEAR = r"(?:(?:1[89]|20)\d\d|'?\d\d)"
DATE = (
    rf"(?:(?:19|20)\d\d[-./ ]\d{{1,2}}[-./ ]\d{{1,2}}|\d{{1,2}} ?[-./ ] ?\d{{1,2}} ?[-./ ] ?{_YEAR}|\d{{1,2}}(?:st|nd|rd|th|er|o|\.)?,?(?: of| de)?[ .-]{{0,2}}{MONTH}\.?,?(?: de| del)?[ .,-]{{0,2}}{_YEAR}|(?:19|20)\d\d,? {MONTH} \d{{1,2}}"
    rf"|{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? ?{_YEAR}|{MONTH}\.?,? (?:de )?(?:19|20)\d\d|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|\d{{2}}{MONTH}(?:19|20)?\d\d|\d{{1,2}}[. ]{{1,2}}(?:x[iv]?|i[xv]|v?i{{1,3}}|xii?|v)[. ]{{1,2}}(?:19|20)\d\d|\d{{1,2}} \d{{1,2}} \d\d|(?:xmas|christmas|new year'?s|\d{{1,2}}[ -][a-z][a-z']{{2,9}}[ -])(?: day| eve)? ?'?(?:1[34]|19|20)?\d\d(?: e\.c\.?)?|(?:(?<=born in )|(?<=born )|(?<=b\. )|(?<=year ))'\d\d|(?:(?<=\bne en )|(?<=\bnee en )|(?<=o en el )|(?<=a en el ))'?\d\d(?=[,.;)\n]| et| y|$)|\d{{1,2}}(?:st|nd|rd|th)? of \d{{1,2}}(?:st|nd|rd|th)? of {_YEAR}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of| de)? {MONTH}\b|(?:19[2-9]\d|20[0-2]\d))(?!\w|[-/:]\d)"
)
FULL = (  # with its day, its month and its year
    rf"(?:(?:19|20)\d\d[-./]\d{{1,2}}[-./]\d{{1,2}}|\d{{1,2}}[-./]\d{{1,2}}[-./](?:(?:19|20)\d\d|\d\d)|\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of| de)?[ -]?{MONTH}\.?,?(?: de| del)?[ -]?(?:19|20)?\d\d|{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|\d{{1,2}}\. ?(?:x[iv]?|i[xv]|v?i{{1,3}}|xii?|v)\. ?(?:19|20)\d\d)(?!\w|[-/:]\d)"
)
_CUE = (
    r"(?:born|b-day|b|dob|d\.?o\.?b|date of birth|date_of_birth|dateofbirth|birth ?_?date|birth_?day|bday|bd|nacid[oa]s?|naci|nacio|nascio|fecha de nacimiento|fecha_nacimiento|f\. ?nac\w{0,10}|fecha nac\w{0,8}|f\.n|cumpleanos|geb(?:oren|urtsdatum|urtstag|urt|\.)?|geburts_?datum|geb\.?-?dat(?:um)?|nacimiento|fodselsda(?:to|g)|bdate|birth_?dt|jahrgang|nee? le|nee?"
    r"|date de naissance|date_naissance|naissance|anniversaire|nascid[oa]|nasci|nasc|nasceu|bornon|data de nascimento|data_nascimento|nascimento|dn|d\.n|aniversario|fodt|fodd|fodelsedatum|geboren|geboortedatum|nat[oa]|data di nascita|urodz\w{0,8}|real date|syntyn\w{0,5}|birth certificate|birth|born on or about|dogum\w{0,10}"
    r"|nac(?=[.:])|data ur|ur(?=\.)|data_ur\w{0,8}|(?:tempat[ ,/&]{0,3})?t(?:angga|g)l\.? lahir|lahir|ttl(?=[:,])|kelahiran|dat\. nar|naroz\w{0,5}|szul\w{0,6}|nascut[ai]?|nar(?=[.:])|dt_?nasc|data nasc\w{0,6}|ngay sinh|sinh ngay|datelindja\w{0,3})"
)
_SIGN = re.sub(r"\(\?=[^()]*\)", "", _CUE)
"""The words without what must follow them: the gate reads no look-ahead."""

_FORWARD = re.compile(
    rf"(?<![\w.]){_CUE}(?![a-z])[^\d\n;!]{{0,30}}?(?:\n[^\d\n;]{{0,40}}?)?(?:(?<![\w.,/-])|(?<=\bb\.))({DATE})"
)
_LETTER_B = re.compile(r"b\b(?!\W{0,4}(?:on|in|the)?\W{0,4}$)")
"""A "b" with more than a preposition before the date: warehouse B, plan B."""

_NO_BIRTH = re.compile(r"\b(?:due|apgar|plan|expir\w{1,3}|valid|issued|film|movie|album|released)\b")
"""What the date belongs to that comes between the word and it."""

_OR_LATER = re.compile(
    r" (?:or|and|oder|ou|o) (?:later|earlier|before|after|younger|older|spater|fruher|apres|despues)\b"
)
_BACKWARD = re.compile(
    rf"(?<![\w.,/-])({DATE})(?:\)? ?(?:is|was|es|ist|est|e) (?:\w{{1,8}} ){{0,2}}|,? (?:in \w{{2,20}} )?)(?:{_CUE})(?![a-z])(?!\W{{0,3}}(?:date)?\W{{0,3}}\d| (?:plan|rate|weight|story|control|order))"
)
_NAMED = re.compile(r"(?<=[a-z] \()(\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d)\)")
_FAR = re.compile(
    rf"\b(?:born|birthday|birth certificate|dob|date of birth)\b[^\n;!]{{0,90}}?(?:\n[^\d\n]{{0,40}}?)?(?<![\w.,/-])({FULL})"
)
_SAME = re.compile(rf" ?(?:\(|, ?(?:i mean )?|/ ?|or |= ?|in \w{{3,10}}, ?)({FULL})")
_SEXED = re.compile(rf"(?<![\w]) ?[fmx](?: ?[/|,;] ?| )({FULL})(?= ?[/|,;\n]| [a-z]{{1,3}}\d|$| \d)")
_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w{3,7}teenth|twentieth|twenty[ -]\w{5,7}|thirtieth|thirty[ -]first)"
_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}teen|twenty(?:[ -][a-z]{3,5})?|thirty(?:[ -]one)?)"
_DAY = re.compile(
    r"\b(?:birthday|bday|b-day|anniversaire|cumple(?:anos)?|geburtstag|aniversario|verjaardag|fodselsdag)\b(?:'?s)?[^\w\n]{0,3}(?: ?(?:is|es|ist|est|e|am|el|le|on|the|was|dia|c'est|falls)\b){0,3}[ :(,]{1,3}(?:the )?"
    rf"(\d{{1,2}}[/.]\d{{1,2}}\.?|{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of| de)? {MONTH})(?![\d/:.-]*\d|\w)"
)
_WORDS = re.compile(
    r"\b(?:date of birth|born|dob|birthday(?:'?s)?|bday)\b[^\d\n;!]{0,20}?(?:\n[^\d\n;]{0,14}?)?\b((?:"
    + _ORDINAL
    + " of (?:the )?"
    + _ORDINAL
    + "|"
    + _COUNT
    + "[ /-]"
    + _COUNT
    + r"(?=[ /-](?:nineteen|twenty|two thousand|sixty|seventy|eighty|ninety|fifty|forty|thirty|oh|\d\d))|(?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w{3,7}teenth|twentieth|twenty[ -]\w{5,7}|thirtieth|thirty[ -]first) (?:of )?"
    + MONTH
    + "|"
    + MONTH
    + r" (?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w{3,7}teenth|twentieth|twenty[ -]\w{5,7}|thirtieth|thirty[ -]first))"
    + r"(?:,?[ -](?:nineteen|twenty|two thousand(?: and)?|sixty|seventy|eighty|ninety|fifty|forty|thirty|\d{2,4}|and|[a-z]{3,5}teen|one|two|three|four|five|six|seven|eight|nine|oh|ten|eleven|twelve|hundred)\b){1,5})"
)
_YEAR_WORDS = (
    r"(?:neunzehnhundert\w{0,24}|zweitausend\w{0,24}|millenovecento\w{0,20}|duemila\w{0,20}"
    r"|(?:mil(?:le)?|deux mille|dos mil|dois mil|dix-neuf cents?)(?:[ -](?:nov?ecientos|novecentos|neuf|cents?|et|y|e|un|uno|um|deux|dos|dois|trois|tres|quatre|cuatro|quatro"
    r"|cinq|cinco|six|seis|sept|siete|sete|huit|ocho|oito|nueve|nove|dix|diez|dez|onze|once|douze|doce|doze|treize|trece|treze|quatorze|catorce|quinze|quince|seize|vingts?|veinte|vinte|veinti\w{2,6}"
    r"|dieci\w{3,6}|deze\w{4,5}|trente|quarante|cinquante|soixante|[a-z]{3,6}enta|trinta|treinta|cinquenta)(?![a-z])){0,8})"
)
_SPELT = re.compile(
    r"\b(?:ne|nee|nat[oa]|naci|nacio|nacid[oa]|nasci|nasceu|nascid[oa]|geboren)\b[^\d\n;!?]{0,40}?"
    rf"\b((?:[a-z]{{2,14}}(?: (?:y|e|et) [a-z]{{2,6}})?|[a-z]{{4,8}}-(?:et-)?[a-z]{{2,6}}) (?:de )?{MONTH}(?: de| del)? {_YEAR_WORDS})(?![a-z])"
)
_DIGIT = re.compile(r"\d")
_HISTORY = re.compile(r",? ?(?:(?:of|in|de|del) )?1[0-8]\d\d(?!\d)")
"""The rest of a date on which nobody was born who lives."""

_FEAST = re.compile(
    r"\b(?:(?:birthday|bday|b-day|birth ?date|dob)(?:'s| is| was| falls| lands)?(?: always)?(?: on)?|born on|turn(?:s|ed|ing)? (?:[a-z-]{2,16}|\d{1,3}) on|will be (?:an? )?(?:[a-z-]{2,16}|\d{1,3}) on) (?:the )?"
    r"((?:christmas|xmas|new year'?s) (?:day|eve)|christmas|boxing day|new year'?s|halloween|valentine'?s(?: day)?|st\.? ?(?:patrick|george|andrew|david)'?s day|leap day|april fool'?s(?: day)?|bonfire night|guy fawkes night|groundhog day|cinco de mayo|star wars day|bastille day|independence day|anzac day|australia day|canada day|juneteenth|epiphany)\b"
)
_TURNS = re.compile(
    r"\b(?P<who>[\w']{1,20}) (?:turn(?:s|ed|ing)?|will be|be)(?: an?)? (?:1[01]\d|[1-9]?\d|(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty[ -]?)?(?:one|two|three|four|five|six|seven|eight|nine)|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|ten|eleven|twelve|[a-z]{3,5}teen) on (?:the )?"
    rf"(?P<day>{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of)? {MONTH})(?![\d/:.-]*\d|\w)"
)
"""The day on which somebody will be so many years old."""

_NOBODY = re.compile(
    r"(?:it|this|that|which|there|company|firm|business|club|school|college|town|city|country|band|brand|shop|store|app|site|website|page|show|series|bill|price|rent|fee"
    r"|high|low|count|total|score|team|building|house|office|museum|church|magazine|podcast|channel|server|car|bike|boat|ship|bridge|clock|project|charity)(?:'?ll|'?s)?$"
)
_OF_WORDS = _WORDS, _FEAST, _SPELT


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    has_digits = _DIGIT.search(folded.low) is not None
    for pattern, before, after in (
        (_FORWARD, 24, 90),
        (_BACKWARD, 70, 10),
        (_NAMED, 20, 20),
        (_WORDS, 24, 120),
        (_SPELT, 12, 150),
        (_FAR, 24, 150),
        (_DAY, 16, 50),
        (_FEAST, 24, 60),
    ):
        if not (has_digits or pattern in _OF_WORDS):
            continue
        for match in around(pattern, folded.low, ends, before, after):
            value = match[1]
            if _NO_BIRTH.search(folded.low, match.start(), match.start(1)) or (
                pattern is _FORWARD and _LETTER_B.match(folded.low, match.start(), match.start(1))
            ):
                continue
            if (
                value.isdigit()
                and len(value) == 4
                and re.search(
                    r"\b(?:since|until|till|seit|desde|depuis|expires?|birthday|dn|bd|dob)\b[^\n]{0,24}$",
                    folded.low[max(0, match.start(1) - 30) : match.start(1)],
                )
            ):
                continue
            if _OR_LATER.match(folded.low, match.end(1)) or _HISTORY.match(folded.low, match.end(1)):
                continue
            end = match.end(1) - len(" and") * value.endswith((" and", "-and"))  # of what is said next
            yield Hit("DATE_OF_BIRTH", match.start(1), end, 0.9)
            if same := _SAME.match(folded.low, match.end(1)):
                yield Hit("DATE_OF_BIRTH", same.start(1), same.end(1), 0.7)
    for match in around(_TURNS, folded.low, ends, 40, 40) if has_digits else ():
        if not _NOBODY.match(match["who"]):
            yield Hit("DATE_OF_BIRTH", *match.span("day"), 0.8)
    for match in around(_SEXED, folded.low, ends, 4, 30) if has_digits else ():
        yield Hit("DATE_OF_BIRTH", match.start(1), match.end(1), 0.6)


RECOGNIZERS = (
    Recognizer(
        "births",
        (
            rf"(?:\b|_){_SIGN}(?:\b|_)",
            r"\(\d{1,2}[./-]\d{1,2}[./-]\d{4}\)",
            r"[ /|,][fmx](?: ?[/|,;] ?| )\d",
            r"\b(?:turn(?:s|ed|ing)?|be(?: an?)?) (?:[a-z-]{2,16}|\d{1,3}) on\b",
        ),
        _find,
        every=True,
    ),
)
