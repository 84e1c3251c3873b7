"""Ages of people: "34 years old", "im 34", "34yo", "aged 34", "my son is 6", "Maria (9)", in five languages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_BIG = rf"{_TENS}(?:[ -]{_ONES})?|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_WORD = rf"(?:{_BIG}|{_ONES})"
_N = rf"(?:1[01]\d|[1-9]?\d(?:[.,]5| 1/2| and a half)?(?!\d)(?: something)?|{_WORD}(?: and a half)?)"
_UNIT = (
    r"(?!\s?(?:%|percent|prozent|eur|usd|gbp|\$|:|/|km|kg|cm|mm|m\b|min|mins|minutes?|minuten|minutos|hours?|hrs?|h\b|stunden|horas|heures|weeks?|wks|days?|tagen?|dias|jours|seconds?|sec|am\b|pm\b|a\.m|p\.m|th\b|st\b|nd\b|rd\b|points?|pts|miles|mi\b|x\b|ft|feet|foot|inch|lbs?|pounds|times|mal\b|veces|vezes|fois|people|personas|"
    r"out of|of (?:the|them|us|my)|o'?clock|uhr|mb|gb|tb|k\b|million|thousand|hundred|steps?|stones?|st\b|degrees|grad|bucks|euros?|dollars?|quid|calls?|messages?|weeks|months? (?:late|pregnant|in|into|ago)|years? (?:in|into|ago|late|clean|sober|experience|of|at|without|married|older|younger)|'|\"|-\d|\.\d|,\d{3}))(?!\w)"
)
_OLD = r"(?:[ -]?(?:years?|yrs?|yr|y|months?|mos?|weeks?)[ -]?(?:old|young|of age)\b| ?y/?o\b| ?y\.o\.)"
_KIN = (
    r"(?:son|sons|daughters?|kids?|child|children|baby|boy|girl|boys|girls|lads?|twins?|toddler|wife|husband|mum|mom|mother|dad|father|nan|nana|gran|granny|grandma|grandad|grandpa|grandfather|grandmother|granddad|gramps|brother|sister|bro|sis|cousin|nephew|niece|aunt|auntie|uncle|partner|bf|gf|boyfriend|girlfriend|fiance\w?|friend|mate|roommate|flatmate|neighbou?r|boss|teacher|student|pupil|patient|client|customer|teen|"
    r"hija|hijo|hijos|hijas|hijita|mama|papa|abuel[oa]|madre|padre|herman[oa]|espos[oa]|nieta|nieto|novi[oa]|sobrin[oa]|tochter|sohn|kind|kinder|mutter|vater|oma|opa|bruder|schwester|mann|frau|dads|mums|moms|widow|widower|freund|freundin|enkel\w{0,2}|nichte|neffe|fille|fils|enfants?|mere|pere|mari|femme|frere|soeur|grand-mere|grand-pere|copain|copine|bebe|filh[oa]s?|mae|pai|avo|vo|irma|irmao|marido|mulher|amma|owner|holder|lady|man|woman|guy)"
)
_SUBJECT = re.compile(
    rf"(?:i'?m|i am|iam|he'?s|he is|she'?s|she is|they'?re|who'?s|who is|whos|im|hes|shes|we'?re both|you'?re|ur|is now|he was|she was|i was|i were|she'?d be|he'?d be|he'?d have been|she'?d have been|she|er is|sie ist|er ist|male|female|weiblich|mannlich|hes like|patient is|age is|age was|my age is|turn(?:ed|ing|s)?|aged?|age of|at age|ages|age\?|alter|edad|idade|eta|age,|age,\W?|umur(?: dah)?|lived to|liv(?:e|ing) to be|i'?d say|died,? at|died \w{{2,10}} \w{{2,10}} at|left us[^.\n\d]{{0,30}} at|crossed at|started (?:work )?at|retired at|married at|was, at|widowed at|orphaned at)\W{{0,3}}(?:(?:like|only|just|now|about|around|almost|nearly|already|a|til|till|over|still|barely|both|in my|turning|is|was|are|then|f|m|male|female|man|woman|nur|erst|schon|tired|gonna be|going to be|currently|than|have been|be)\W{{1,2}}){{0,2}}"
    rf"((?:almost |nearly )?{_N}(?:[- ]?(?:years?|yrs|yr|months|anos|ans|jahre|yo)(?: old)?\b)?){_UNIT}"
)
_FAMILY = re.compile(
    rf"{_KIN}\b(?:'s)?(?:[ ,]{{1,2}}(?!i\b|we\b|you\b)[a-z'-]{{2,16}}){{0,3}}?(?:[ ,]{{1,3}}(?:is|was|are|who'?s|who is|whos|turns|turned|turning|aged?|just turned|are aged|ist|wird|es|tiene|tienen|a|e|tem|cumple|fez|faz)\b|\s?[,(]|\W{{1,3}}he'?s|\W{{1,3}}she'?s|(?<='s)|(?<=dads)|(?<=mums)|(?<=moms))[ (]{{0,2}}(?:like|only|just|now|about|almost|nearly|already|erst|schon|today|tomorrow|next week|nachste woche)? ?"
    rf"((?:almost |nearly )?{_N}(?:[- ]?(?:years?|yrs|months|anos|ans|jahren?|monate|meses|mois|aninhos|anitos)\b)?){_UNIT}"
)
_MORE = re.compile(
    rf"(?: years?)?(?:, ?| and | und | y | et | e | & |, and )(?:the other (?:is )?)?({_N}(?: years?| anos| ans| jahre)?){_UNIT}(?=\s?[,.;)!?\n]|\s(?:and|y|und|et|e|who|both|do|they)\b|$)"
)
_ROMANCE = re.compile(
    rf"(?:tengo|tngo|tiene|tienes|tenia|tenemos|tenho|tem|tinha|cumpli|cumplo|cumple|cumplas|cumplir|cumplio|fiz|fez|faz|faco|completei|j'ai|j'avais|il a|elle a|on a|agee? de|ich bin|bin|ist|er ist|sie ist|war|wird|werde|wurde|hija de|hijo de|de|mit|con|la de|el de|com|d'un|d'une|soy|sou|je suis|ai)\s(?:ya |solo |apenas |so |erst |schon |gerade |muchos mas de |mas de |casi |quase |nur |nachste woche |morgen |heute )?"
    rf"({_N}|[a-z]{{4,9}}(?: [ye] [a-z]{{3,6}})?) ?(anos|ans|jahren?|tacos|primaveras|anitos|aninhos|monaten?|meses|mois|annees)\b(?! (?:de (?:experien|servi|casad|cotiz|trabaj|carrer)|en (?:el|la|un|una)|experience|erfahrung|lang|bei|dass|que (?:no|me|se|lo|vivo|trabaj)))"
)
_BARE_ROMANCE = re.compile(
    rf"(?:tengo|tngo|tiene|tenho|cumplo|cumpli|cumplas mas de|muchos mas de|bin|ich bin|er ist|sie ist|erst|fez|fiz|nachste woche|tenia|tem|tinha)\s({_N})(?=\s?[,.;!?)\n]|\s(?:y|und|e|i|ja|and|pero|aber|mas|nachste)\b|$)"
)
_FIELD = re.compile(
    rf"(?:ages?|edad|alter|idade|age_years|player age|age of (?:player|patient|child|insured|driver))[\"']?\s{{0,2}}(?:\([a-z]{{1,8}}\))?\s{{0,2}}[:=|,?]\s{{0,3}}(?:[A-Za-z]{{2,12}}:\s)?[\"']?({_N}(?: anos| years?| ans| jahre)?(?: old)?)(?![\w%:/]|[.]\d)"
)
_NAMED = re.compile(
    r"(?<![\w.])(?!(?:Chapter|Figure|Fig|Section|Table|Page|Step|Version|Part|Article|Room|Windows|Python|Level|Vol|Note|Ref|Type|Class|Grade|Phase|Stage|Week|Day|Season|Episode|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Psalm|Genesis|Matthew|Luke|John|Act|Scene|Line|Number|No|Error|Code|Route|Gate|Unit|Item|Model|Question|Exercise|Lesson|Book|Channel|Highway|Apartment|Flat|Apt|Floor|Suite|Street|Road|Avenue|Box|Option|Top|Total|Score|Team|Group|Serie|Series|Terminal|Track|Platform|Size|Bed|Room|Hearing|Apartment|Age)\b)"
    r"[A-Z][A-Za-z'-]{1,20}(?: (?:van|de|der|von|la|al|bin|el|[A-Z][A-Za-z'-]{1,20})){0,3}(?:, | ?\(| )(?:aged? )?"
)
_NAME_AGE = re.compile(
    _NAMED.pattern
    + r"(\d{1,3})(?= ?\)|,(?!\d)| (?:F|M|f|m)\b|\.(?:\s|$)|\n|$|yo\b| years?\b| anos\b| ans\b| Jahre\b| and [A-Z])(?!, ?(?:19|20)\d\d|, \d{1,3},)"
)
_SEX = re.compile(
    r"(?<![\w.])\(?(?:[fm](?=\d\d\b)(\d\d)\b|(\d\d) ?/?[fm]\b(?![\w'/-])|[fm] (?=\d\d\))(\d\d)(?=\)))"
)
_WHEN = re.compile(
    rf"(?:when i was|since i was|since we were|when he was|when she was|until i was|before i was|since age|at the age of|from age|write to me at|grandfather at|met him at|met her at|als ich|quando eu tinha|cuando tenia|quand j'avais|losing \w+ \w+ at)\s(?:like |about |only )?({_N}){_UNIT}"
)
_ANSWER = re.compile(
    rf"(?:how old|ages?|wie alt|que edad|cuantos anos|quel age|quantos anos)\b[^\n?]{{0,50}}\?[ ]{{0,2}}\n?(?:\w{{1,12}}: ?)?(?:[a-z']{{1,6}} )?(?:(?:haha|yup|yes|well|oh) )?({_N}){_UNIT}"
)
_LISTED = re.compile(
    rf"(?:i'?m|i am|ich bin|ich|soy|sou|je suis) [^.\n\d;!?()]{{1,44}}?,? ?\(?({_N})(?=[,.;)\n]| (?:jahre|years|and)\b|$)(?! ?%)"
)
_OLD_NOW = re.compile(
    rf"{_OLD}| (?:anos de edad|anos de idade|ans revolus|jahre alt|jahre jung|lat\b|anni\b)"
)
_YEARS = re.compile(
    r" ?-?(?:anos|ans|jahren?|years?|yrs?|anitos|aninhos|anazos|tacos|jahrige?r?|jaar|anni)\b"
)
_ALONE = re.compile(r" (?:anos|ans|jahre|anitos|aninhos|anni|jaar)(?=[,.;)\n]|$)")
_APART = re.compile(r"(?:, |\(|^|\n|: )$")
_ROW = re.compile(r"\bvalues ?\($")  # of a database
_EXPLAINED = re.compile(r"\b(?:explain|describe|eli)\b[^\n]{0,30}\b(?:i'?m|i am|i was) $")
_AM = ("m ", "s ", "m \n", "s \n")  # how that ends
_HOURS = re.compile(r"\dh $")
_ORDINAL = re.compile(r"(?:th|st|nd|rd)(?=,? (?:birthday|bday|b-day|year of (?:his|her) life)\b)")
_KINDRED = re.compile(rf"\b{_KIN}\b")
_HAPPY = re.compile(r"(?:happy|father's|mother's|dad's|mum's|mom's|nan's|gran's|wife's|husband's) $")
_TH = re.compile(r"(?:th|st|nd|rd)\b")
_RANGE = re.compile(r"\d{1,3}")
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"[a-z']+")
_REACH, _TOKENS = (
    64,
    10,
)  # how far before a number, and among how many words, the word that makes it an age may stand
_FIRST = (
    (
        _SUBJECT,
        r"i'?d|he'?d|she'?d|er|sie|male|female|i'?m|i|iam|he'?s?|she'?s?|they're|who'?s?|we're|you're|ur|is|patient|age|my|turn\w{0,3}|aged|ages|alter|edad|idade|eta|at|were|umur|lived|living|live|died|left|crossed|started|retired|married|was|widowed|orphaned",
    ),
    (_FAMILY, _KIN),
    (
        _ROMANCE,
        r"tengo|tngo|tiene|tienes|tenia|tenemos|tenho|tem|tinha|cumpl\w{1,3}|fiz|fez|faz|faco|completei|j'ai|j'avais|il|elle|on|agee?|ich|bin|ist|er|sie|war|wird|werde|wurde|hija|hijo|de|mit|con|la|el|com|d'une?|soy|sou|je|ai",
    ),
    (
        _BARE_ROMANCE,
        r"tengo|tngo|tiene|tenho|cumpl\w{1,3}|muchos|bin|ich|er|sie|erst|fez|fiz|nachste|tenia|tem|tinha",
    ),
    (_FIELD, r"ages?|edad|alter|idade|player"),
    (_LISTED, r"i'?m|i|ich|soy|sou|je"),
    (
        _WHEN,
        r"when|since|until|before|at|from|write|grandfather|met|under|als|quando|cuando|quand|older|younger|losing",
    ),
    (_ANSWER, r"how|ages?|wie|que|cuantos|quel|quantos"),
)
_READERS = tuple((pattern, re.compile(first)) for pattern, first in _FIRST)


@functools.lru_cache(maxsize=4096)
def _readers(word: str) -> tuple[re.Pattern[str], ...]:
    """The patterns that can begin with a word."""
    return tuple(pattern for pattern, first in _READERS if first.fullmatch(word))


_NO_AGE = re.compile(r",\d{3}|\.\d{1,3}\.|\.\d{3}|\x01|\s?(?:metres?|meters?|bpm|mmhg|degrees)\b")


def _plausible(value: str) -> bool:
    number = _RANGE.search(value)
    return number is None or 0 < int(number[0]) <= 117


def _read(folded: Folded, start: int, end: int) -> Iterator[Hit]:
    """Whether the number at a place is an age."""
    low = folded.low
    if low.endswith(("m ", "s ", "m \n", "s \n"), 0, start) and _EXPLAINED.search(
        low, max(0, start - 40), start
    ):
        return
    if old := _OLD_NOW.match(low, end):
        yield Hit("AGE", start, old.end(), 0.85)
        return
    for word in list(_TOKEN.finditer(low, max(0, start - _REACH), start))[-_TOKENS:]:
        for pattern in _readers(word[0]):
            match = pattern.match(low, word.start())
            if match is None or not match.start(1) <= start < match.end(1) or not _plausible(match[1]):
                continue
            if pattern is _ROMANCE and not (
                match[1][0].isdigit() or re.search(r"[yei] |te$|ze$|nta", match[1])
            ):
                continue
            end = match.end(2) if pattern is _ROMANCE else match.end(1)
            yield Hit("AGE", match.start(1), end, 0.7)
            while (
                pattern is not _SUBJECT and (following := _MORE.match(low, end)) and _plausible(following[1])
            ):
                yield Hit("AGE", following.start(1), following.end(1), 0.6)
                end = following.end(1)
            return


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low, text = folded.low, folded.text
    for number in _DIGITS.finditer(low):
        start, end = number.span()
        if end - start > 3 or not 0 < int(number[0]) <= 117:
            continue
        before = low[start - 1 : start]
        if before in {"f", "m"} or low[end : end + 1] in {"f", "m"}:
            if (match := _SEX.match(low, start - 1)) or (match := _SEX.match(low, start)):
                group = match.lastindex or 1
                if _HOURS.search(low, max(0, start - 3), start):
                    continue
                if text[start - 1 : end + 1].islower() or low[start - 2 : start - 1] == "(":
                    yield Hit("AGE", match.start(group), match.end(group), 0.4)
            continue
        if (
            before.isalnum()
            or (
                before in {".", ",", "$", ":", "/", "#", "-", "_", "+"}
                and low[start - 2 : start - 1] not in {"age", '"'}
            )
        ) and not (before == ":" or before == ","):  # noqa: PLR1714
            continue
        if _NO_AGE.match(low, end):
            continue
        if low[end : end + 1].isalpha() and not _OLD_NOW.match(low, end):
            continue
        hits = list(_read(folded, start, end))
        if (
            not hits
            and before in {" ", "("}
            and text[max(0, start - 30) : start].rstrip(" (,")[-1:].isalpha()
            and text[max(0, start - 44) : start] != low[max(0, start - 44) : start]  # a name has a capital
            and any(
                found.start(1) == start for found in _NAME_AGE.finditer(text, max(0, start - 44), end + 8)
            )
        ):
            listed = (
                (before == "(" and not _ROW.search(low, max(0, start - 9), start))
                or text[start - 2] == ","
                or _KINDRED.search(low, max(0, start - 90), start)
            )
            hits = [Hit("AGE", start, end, 0.5)] if listed else []
        if not hits and (alone := _ALONE.match(low, end)) and _APART.search(low, max(0, start - 2), start):
            hits = [Hit("AGE", start, alone.end(), 0.5)]
        if (
            not hits
            and _TH.match(low, end)
            and (_HAPPY.search(low, max(0, start - 10), start) or _ORDINAL.match(low, end))
        ):
            hits = [Hit("AGE", start, end + 2, 0.5)]
        for hit in hits:
            unit = _YEARS.match(low, hit.end)
            yield hit if unit is None else Hit("AGE", hit.start, unit.end(), hit.score)


def _find_words(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_WORDS, folded.low, ends, 14, 14):
        yield from _read(folded, match.start(), match.end())


_WORDS = re.compile(rf"\b{_WORD}\b")
RECOGNIZERS = (
    Recognizer("ages", (r"\d",), _find),
    Recognizer(
        "ages in words",
        (
            rf"\b(?:{_BIG})\b",
            rf"\b(?:is|was|i'?m|am|he'?s|she'?s|who'?s|were|are|turn\w{{0,3}}|aged?|almost|nearly|like|mere)[ ,]{{1,2}}{_ONES}\b",
            rf"\b{_ONES}[ -](?:years?|months?|yrs?)\b",
        ),
        _find_words,
        every=True,
    ),
)
