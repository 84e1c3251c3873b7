"""Ages in other forms: lists of them, weeks and months of babies, decades, round birthdays, and words of four languages."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer

_NUMBER = r"(?:1[01]\d|[1-9]\d?)"
_MANY = (
    r"(?:kids?|children|ages|aged|boys|girls|lads|nephews?|nieces?|sons|daughters|grandkids|grandchildren|siblings|brothers|sisters|triplets|toddlers"
    r"|they'?re|they are|hijos|hijas|ninos|ninas|nietos|enfants|kinder|enkel|filhos|filhas|netos)"
)
_LIST = re.compile(
    rf"\b{_MANY}(?: (?:is|are|now|aged|who are|(?:in|at) the [a-z]{{2,10}}|im [a-z]{{2,10}}))?[ :,(=]{{1,3}}"
    rf"((?:{_NUMBER}(?:, ?(?:and |& ?)?| and | & | \+ | y | und | et | e | or )){{1,8}}{_NUMBER})"
    r"(?![\w%:/]|[.,]\d| (?:in the |to |people|kg|km|points?|goals|tickets?|x\b|o'?clock|am\b|pm\b|euros?|pounds?|hours?|minutes?|times|years? of))"
)
_BABY = r"(?:baby|bab(?:y|e)'s|bub|bubba|newborn|infant|twins?(?: [ab])?|toddler|little one|lil one|bebe|preemie|grandbaby|daughter|son|boy|girl|saugling)"
_NO_NAME = r"(?!(?:for|in|due|every|after|at|of|by|until|before|the|last|next|will|sleeps?|slept|was|cries|comes?|arrives?|and|since|has|had|took|on|about|only|over|within|from)\b)"
_YOUNG = re.compile(
    rf"\b{_BABY}(?:[ ,:(]{{1,3}}{_NO_NAME}[a-z'-]{{2,14}}){{0,2}}[ ,:(]{{1,3}}(\d{{1,3}} ?(?:days?|d|weeks?|wks?|months?|mths?|mos?|monate|meses|mois))\b"
    r"(?! (?:ago|late|pregnant|overdue|early|left|later|in\b|of\b|to go|premature|at\b|free|contract))"
)
_DAYS_OLD = re.compile(
    r"\b(?:she|he|they|pt|baby|i)(?:'s|s|'re| is| was| are)?(?: [a-z]{2,8})? (\d{1,3} ?(?:days?|d|wks?|mths?) old)\b"
)
_YEARS_MONTHS = re.compile(r"(?<![\w.,])(\d{1,2} ?(?:y|yrs?) ?\d{1,2} ?(?:m|mo|mths?))\b")
_SLASHED = re.compile(r"(?<![\w/])[mfw]/(\d\d)/(?!\d)")
_BEDSIDE = re.compile(r"(?<![\w.,=])(\d{1,3})(?: ?[FM](?=[\s,./;)]|$)| ?[yY]/?[oO]? [FM]\b)")
_CLINIC = re.compile(
    r"\b(?:beds?|ward|chart|pts?|patients?|theatre|nbm|ed|mrn|hx|pmh|c/o|r/o|allergy|surgery|tkr|thr|fracture|chest pain|stroke|claimant|suspect|handover|gp|fell|asthma|dka|obs|copd|discharge|triage|referral|apgar|icu|itu)\b"
)
_ROLE = re.compile(
    r"[A-Z][\w'-]{1,20} \((?!(?:p|pp|page|vol|no|nr|fig|table|ch|chapter|section|art|eq|see|cf|ca|est|born|b|[JFMASOND][a-z]{2,8})\b)[A-Za-z][\w.'/-]{1,14}(?: [\w.'/-]{1,12}){0,2}, ([1-9]\d?)(?=[,)])"
)
_ONCE = re.compile(
    r"\bat ([1-9]\d),? (?:i|he|she|we) (?:left|went|moved|was|had|got|became|started|quit|met|married|began|lost|joined|learn(?:ed|t)|came|took|knew|did|won|wrote|could|dropped|retired|found)\b"
    r"|\b(?:me|him|her) at ([1-9]\d)(?=[:;,!?]|\.(?!\d)| vs\b)"
    r"|\b(?:dx|diagnosed|pierced|bored|graduated|divorced|widowed|retire[sd]|orphaned|menopause|pregnant|degree|died|passed|heart attack|stroke|gallbladder out)(?: [a-z]{2,10}){0,2} (?:at|@) ([1-9]\d)(?=[,;)\n]|\.(?!\d)| of\b| and\b| i\b|$)"
)
_DECADE = r"(?:teens|twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)"
_DECADES = re.compile(
    rf"\bin (?:my|his|her|their|our|your) (?:very )?(?:(?:early|mid|late)[ -])?({_DECADE}|[2-9]0'?s)\b"
    rf"|(?<!the )(?<!\bin )\b(?:early|mid|late)[ -]({_DECADE})\b|\b(?:early|mid|late)[ -]([2-9]0'?s) (?:man|woman|guy|lady|male|female|dad|mum|mom)\b"
)
_RELATIVE = (
    r"(?:son|daughter|wife|husband|hubby|mum|mom|mother|dad|father|nan|nana|gran|granny|grandma|grandad|grandpa|grandfather|grandmother|grandson|granddaughter|brother|sister|bro|sis|cousin|nephew|niece|aunt|auntie|aunty|uncle|stepson|stepdaughter"
    r"|hij[oa]|abuel[oa]|madre|padre|herman[oa]|espos[oa]|tochter|sohn|mutter|vater|oma|opa|bruder|schwester|enkel(?:in)?|fille|fils|mere|pere|mari|femme|frere|soeur|mamie|papi|filh[oa]|mae|pai|irma|irmao|av[oo])"
)
_ROUND = r"(?:1[368]th|21st|[2-9][05]th|100th)"
_BIRTHDAY = re.compile(
    rf"(?:\b(?:my|his|her|their|our|your|for|for a|for the)|'s|s') (?:own |big )?({_ROUND})(?=\s?[,.;:!?)\"\n]|$| (?:b-?day|birthday|party|speech|do|in|on|next|is|this|and|with|that|toast|present|gift|cake|poem)\b)"
    r"|\b(\d{1,3})(?=\. (?:geburtstag|wiegenfest)\b)|\bbig (\d-0)\b"
    rf"|\b(?:my|his|her|their|our|your|{_RELATIVE}'?s) (?:own |big )?({_ROUND})(?= (?:give|any|ideas?|i|i'm|we|we're|he|he's|she|she's|they|you|so|but|or|tomorrow|today|tonight|yesterday|soon|coming|last|need|want|how|what|who|where|when|please|pls|can|could|should|would|will|was|at|lol|omg|surprise|bash|celebrations?|dinner|invite|roast|card|weekend)\b)"
)
_CHILD = r"(?:son|daughter|kid|child|boy|girl|brother|sister|bro|sis|cousin|nephew|niece|grandson|granddaughter|stepson|stepdaughter|godson|goddaughter|toddler|grandchild|stepchild|godchild|student|pupil)"
_ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_TEENS = r"(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
_CHILDS = re.compile(
    rf"\b{_CHILD}(?: (?!menu|meal|ticket|seat|size|club|zone|room|portion|fare)[a-z][a-z'-]{{1,15}}){{0,2}} \(({_ONES}|{_TEENS})\)"
)
_ONLY = re.compile(
    rf"\b(?:he|she|who|i|he'?s|she'?s|who'?s|i'?m)(?: is| was| am)? (?:only|just|barely|not even) ({_ONES})(?=\s?[,.;:!?)\n]|$| (?:and|then|so|but|lol|now|when)\b)"
)
_HAVING = re.compile(
    r"\bi(?:'ve| have) ((?:1[4-9]|[2-9]\d) years)(?=,? (?:and|but|so) i\b(?! (?:pay|have|will|must|worked|owe|can|left|retired|quit)\b))"
)
_ALL = re.compile(
    r"\b(?:we'?re|we are|you'?re|you are|y'?all are) (?:all|both|mostly)(?: (?:like|about|around|over|under|almost|in our))? ([1-9]\d)(?=\+?(?:\s?[,;!?)\n]|\.(?!\d)|$| (?:and|with|now|lol|but|so|except|years old|here|haha)\b))"
)
_PROFILE = re.compile(
    r"(?:^|(?<=[\"'(]))@?(?=[A-Za-z0-9]{0,24}[_.\d])[A-Za-z][\w.-]{2,24}, (1[3-9]|[2-9]\d)(?=, (?:from )?(?!Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[A-Z][a-z]{2,20}(?:[,.;\n\"')]|$))",
    re.MULTILINE,
)
_ASKED = re.compile(
    rf"\bhow old(?: [a-z']{{1,8}}){{0,4}}\??\n(?:[a-z]{{1,12}}(?: [a-z]{{1,10}})?: ?)?(?:he'?s |she'?s )?({_NUMBER}(?: (?:months?|weeks?|days?|years?))?)(?!\w|[.,:/]\d|%)"
)
_KIN = re.compile(
    rf"(?<!-)\b(?:{_RELATIVE}|boy|girl|mil|fil) ({_NUMBER})(?=\s?[,;)\n/]|\.(?!\d)|$| (?:and|y|und|et|e|who|has|is|ok|no|me|did\w{{0,3}}|wants?|loves|{_RELATIVE}|boy|girl)\b)"
    rf"|\b(?:mil|fil|sil|bil|dh|dd|ds|teen|preteen|tween|hubby|us|grandson|granddaughter) \(({_NUMBER}(?:\.5)?)(?:, ({_NUMBER}))?\)"
)
_KIN_NAMED = re.compile(
    rf"\b(?i:{_RELATIVE}) [A-Z][a-z'-]{{1,15}} ({_NUMBER})(?=\s?[,;)\n/]|\.(?!\d)|$| (?!(?:[a-z]{{0,9}}(?:hours?|minutes?|mins?|weeks?|days?|times|euros?|pounds?|dollars?|quid|km|kg|miles|x|am|pm|percent))\b)[a-z])"
)
_WORDS = (
    # Spanish and Portuguese
    r"(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci[a-z]{3,6}|veinte|veinti[a-z]{2,6}|(?:treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa)(?: y [a-z]{3,6})?"
    r"|dois|duas|quatro|sete|oito|nove|dez|onze|doze|treze|quatorze|quinze|deze?[ns]?[a-z]{4,7}|dezoito|(?:vinte|trinta|quarenta|cinquenta|sessenta|oitenta)(?: e [a-z]{2,6})?"
    # French
    r"|deux|trois|quatre|cinq|six|sept|huit|neuf|dix(?:-[a-z]{4})?|douze|treize|seize|(?:vingt|trente|quarante|cinquante|soixante|quatre-vingts?)(?:(?:-| et )[a-z]{2,8}(?:-[a-z]{2,5}){0,2})?"
    # German
    r"|zwei(?:einhalb)?|drei(?:einhalb)?|vier|funf|sechs|sieben|acht|neun|zehn|elf|zwolf|(?:drei|vier|funf|sech|sieb|acht|neun)zehn|(?:ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)?(?:und)?(?:zwanzig|dreis{1,2}ig|vierzig|funfzig|sechzig|siebzig|achtzig|neunzig))"
)
_UNITS = r"(?:anos|ans|jahre|anitos|aninhos|mesecitos|meses|mois|monate)"
_SAID = re.compile(
    r"\b(?:tengo|tiene[ns]?|tenia|tem|tenho|tinha|j'ai|j'avais|j'aurai|il a|elle a|a eu|aura|avait|avoir|fez|faz|fiz|cumpl(?:e|io|i|o|en)|cumplir|completou|agee? de|bin|ist|wird|war|werde|wurde|soy|sou)(?: (?:ya|casi|apenas|so|erst|schon|gerade|jetzt|bald|fast|deja|bientot|quase|apenas|nur)){0,2}"
    rf" ({_WORDS} {_UNITS})\b(?! (?:de [a-z]{{3}}|d'|her\b|lang|dauer|garantie|vor\b|nach\b|que\b|en (?:el|la|un)\b|trabaj))"
)
_SAID_ALONE = re.compile(
    r"\b(?:oma|opa|mutter|vater|mama|papa|tochter|sohn|bruder|schwester|enkel(?:in)?|nichte|neffe|er|sie|kleine[rn]?|hij[oa]|niet[oa]|niet[oa]|abuel[oa]|madre|padre|ell?a?|filh[oa]|cacula|net[oa]|do meio|mais velh[oa]|mayor|menor|el[ae]|av[oa]|v[oa]|mae|pai|bebe|sogr[oa])"
    r" (?:ist|wird|wurde|fez|tem|faz|tiene|cumple|cumplio|tinha)(?: (?:schon|jetzt|gerade|erst|nun|morgen|heute|bald|fast|ya|casi|quase|so)){0,2}"
    rf" ({_WORDS})(?=\s?[,.;:!?)\n]|$| (?:und|y|e)\b)(?! (?:und|y|e) (?:halb|media|meia))"
)


_CHILD = r"(?:fill[eo]|fils|garcon|gamine?|nin[oa]|nen[ea]|chic[oa]|hij[oa]|niet[oa]|sobrin[oa]|menin[oa]|filh[oa]|garot[oa]|net[oa]|sobrinh[oa]|herman[oa]|irma|irmao|neveu|niece)"
_OF_SO_MANY = re.compile(
    rf"\b{_CHILD}(?: (?!con\b|com\b|avec\b|un\b|una\b|uma\b|une\b|tiene\b|tem\b|a\b)[a-z'-]{{2,16}}){{0,2}} (?:de |d')({_WORDS} {_UNITS})\b(?! d[e'])"
)
_TURNED = re.compile(
    rf"\b{_CHILD}(?: [a-z'-]{{2,16}})? cumpl(?:e|io) ({_WORDS})(?= (?:el|en|hoy|ayer|manana|anteayer|est[ea])\b)"
)
_AS_IF = re.compile(r"\b(?:comme si|como si|als ob) $")


def _is_real(_value: str, before: str) -> bool:
    return not _AS_IF.search(before)


_FORMS = (
    Form("ages in lists", rf"\b{_MANY}[^.\n\d]{{1,24}}\d", _LIST, 44, 60, fits=_is_real),
    Form("ages in weeks", r"\b\d{1,3} ?(?:d|days?|weeks?|wks?|months?|mths?|mos?|monate|meses|mois)\b", _YOUNG, 80, 14),
    Form("ages in days", r"\b\d{1,3} ?(?:d|days?|wks?|mths?) old\b", _DAYS_OLD, 40, 2),
    Form("ages in years and months", r"\b\d{1,2} ?(?:y|yrs?) ?\d{1,2} ?m", _YEARS_MONTHS, 14, 6),
    Form("ages in slashes", r"\b[mfw]/\d\d/", _SLASHED, 8, 4),
    Form("ages in notes of a ward", r"\b\d{1,3} ?(?:y/?o? )?[fm]\b", _BEDSIDE, 12, 3, cased=True, where=_CLINIC),
    Form("ages in brackets", r", \d{1,2}[,)]", _ROLE, 76, 2, cased=True),
    Form("ages in turns of life", r"\b(?:at|@) [1-9]\d\b", _ONCE, 60, 16),
    Form("ages in decades", rf"\b(?:{_DECADE}|[2-9]0'?s)\b", _DECADES, 40, 10),
    Form("ages in birthdays", rf"\b{_ROUND}\b|\d\. (?:geburtstag|wiegenfest)|\bbig \d-0\b", _BIRTHDAY, 30, 14),
    Form("ages of children in words", rf"\((?:{_ONES}|{_TEENS})\)", _CHILDS, 64, 1),
    Form("ages that are only so many", rf"\b(?:only|just|barely|not even) {_ONES}\b", _ONLY, 32, 6),
    Form("ages that somebody has", r"\bi(?:'ve| have) \d\d years\b", _HAVING, 18, 20),
    Form("ages of all", r"\b(?:all|both|mostly)(?: [a-z]{2,6}){0,2} \d\d\b", _ALL, 44, 12),
    Form("ages in profiles", r", \d\d, (?:from )?[a-z]", _PROFILE, 44, 30, cased=True),
    Form("ages in answers", r"\bhow old\b[^\n\d]{0,50}\n[^\n\d]{0,32}\d", _ASKED, 100, 12),
    Form("ages in kinship", rf"\b(?:{_RELATIVE}|boy|girl|mil|fil|sil|bil|dh|dd|ds|teen|preteen|tween|us) \(?\d", _KIN, 34, 28),
    Form("ages in named kinship", rf"\b{_RELATIVE} [a-z][a-z'-]{{1,15}} \d", _KIN_NAMED, 36, 16, cased=True),
    Form("ages in words of years", rf"\b{_WORDS} {_UNITS}\b", _SAID, 70, 14, fits=_is_real),
    Form("ages in numbers alone", rf"\b(?:ist|wird|wurde|fez|tem|faz|tiene|cumple|cumplio|tinha) (?:[a-z]{{2,7}} ){{0,2}}{_WORDS}\b", _SAID_ALONE, 60, 14),
    Form("ages of children in words of years", rf"\b(?:de |d'){_WORDS} {_UNITS}\b", _OF_SO_MANY, 80, 8),
    Form("ages that children reach", rf"\bcumpl(?:e|io) {_WORDS}\b", _TURNED, 50, 14),
)  # fmt: skip

RECOGNIZERS = tuple(recognizer("AGE", form) for form in _FORMS)
