"""Values that are read by the words around them: ids, accounts, licences, plates, in five languages and more.

Each kind has its words and the form of its values. The word comes first ("passport no. is X", "plate: X", "passport?" and X on
the next line), or behind ("X is my plate"). Between the two stand no digits and no end of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.announced import DATE, KINDS, NO_PASSPORT, Kind, counts
from vault.redaction.wares import is_of_the_world

_NOT_BETWEEN = re.compile(
    r"\b(?:order|ticket|tracking|invoice|parcel|version|error|tel|phone|call|ring|text|street|age|aged|years?|since|until|till|valid|expire[sd]?|born|dob|manager|holder|price|costs?|worth|debited|paid|refund|page|kb|seit|bis|desde|hasta|depuis|caduca|lauft|ablauf|row|step|question|points?|under|over|about|last|next|per|of the \w+ of)\W{0,3}$|\b(?:for|on|at|in|from)[^\w:=]{0,3}$"
    r"|\b(?:order|ticket no|tracking|invoice|version|error|phone|tel|mobile|cell|dob|geburtsdatum|price|flight|vuelo|vol|iban|room|calibre|hearing|expiry|booking|fee|cuestan?|custam?|coutent|coute|kostet|kosten|limite|turnout)\b"
)
_OTHERS = re.compile(
    r"(?:\b(?:exp|expiry|vol|flight|ext|extension|born|doj|doi|issued|due|bp|hr|bin|rxbin|pcn|item|uan|claim|ref|reference|deductible|batch|lot|job|box|bag|seat|mot|insurer|serial|receipt|expediente|tax|gross|net|fee|total|amount|merged?|commit|rfc|port|rev|revision|sha1?|bug|issue|pr)|[$])[ :.#]{1,3}$|[$]$|(?<=group) by\b|(?<=run) ids?\b"
)
"""The word right before a value that says it is another thing than what the cue asks for."""

_ELSE = re.compile(
    r"\b(?:order|ticket|tracking|invoice|phone|tel|mobile|cell|flight|room|booking|vuelo|pedido|factura|flug|bestellung|rechnung|vol|commande"
    r"|facture|voo|encomenda|fatura|auftrag|vorgang|ordine|fattura|bestelling)\b"
)
"""The same anywhere between a value and a second one."""

_HANDPHONE = re.compile(r"\b(?:hp|hand ?phone|mob|ph|whats ?app|wa)(?: (?:no|nr|number))?[ :.#]{1,3}$")
"""The same for all but plates, which begin like that in Himachal Pradesh."""

_NO_CUES = {
    "NATIONAL_ID": re.compile(
        r"\b(?:message|order|run|container|job|meter|trace|span|request|session|transaction|build|process|thread|device|track|tracking|commit|event|post|video|image|product|item|booking|ticket|chat|group|team|channel|server|app|bundle|cell|task|tenant|object|correlation|lead|campaign|ad|tag|node|cluster|row|asset|instance|region|model|sku|listing|reservation|auth|match|game|lobby|quest|mod|replay|party|raid|dungeon|round|workshop)[ _-]ids?\W?$|\bcouncil tax\W?$"
    ),
    "LICENSE_PLATE": re.compile(
        r"\b(?:rating|side|steel|base|metal|glass|hot|pressure|skid|dinner|back|armou?r|copper|cover|switch|wall|brass|alumin\w+|bone|titanium|build|growth|kick|face|top|bottom|name|end|dental|data)[ -]plates?\W?$"
    ),
}
"""Words of a cue that with the word before them are none: a rating plate, the id of a message."""


_LEADING = re.compile(r"(?!dl \d\d ?\d{11})([a-z]{1,7})[-/.#]{0,1} (?=\S*\d)")
_FILLER = re.compile(
    r"(?:like|old|new|one|was|is|now|also|are|then|still|his|hers|mine|alt|neu|war|era|antes|nueva|geb|geboren|born|nee)[.:]? (?=.*\d)"
)
_JOINED = re.compile(  # what goes on behind a plate, whose parts may be words of few letters
    r" (?:and|but|or|und|aber|oder|y|pero|et|mais|e|mas|is|was|has|ist|war|est) "
)
_LED = re.compile(r"([a-z]{1,3} )(?=[0-9 -]*[A-Z])(?=[A-Z -]*[0-9])[A-Z0-9 -]+$")
_LED_TO = {"LICENSE_PLATE", "PASSPORT"}
"""What is in capitals, and a word of the sentence before it may seem a part of it."""

_BRITISH = re.compile(
    r"[a-z]{2}\d\d (?!(?:and|but|the|for|was|are|has|had|not|who|you|she|his|her|can|car|lol|pls)$)[a-hj-pr-z]{3}"
)
_TRAILING = re.compile(r"[-/ ]([a-z]{1,6})$")
_CLOSING = re.compile(r"\d[-/ ][a-z]{1,4}$")  # which may belong to an id that begins with letters
_WORD = re.compile(r"[A-Z][a-z]{2,3}")  # Ohio
_NAMES = re.compile(
    r"(?:tfn|nhs|ssn|sin|dni|nie|nif|cpf|rg|nino|pan|ppsn?|bsn|kt|id|no|nr|num|mrn|chi|ihi|nhi|hn|abn|nit|rut|run|cnic|cin|pesel|ahv|avs|jmbg|oib|cnp|egn|hkid|nric|curp|rfc|cuil|cuit|dui|mbi|kvnr|svnr|iban|acct|acc|uid|dl|cdl|dln|lic)$"
)
"""What an id is called, in short: it stands before the id and is no part of it."""

_OPENERS = re.compile(
    r"(?:is|em|en|has|hat|tem|sao|são|son|sind|sont|no|nr|number|num|id|in|on|at|of|to|as|es|ist|est|e|and|or|my|the|her|his|it|its|was|for|from|by|el|la|le|nao|não|ends|ending|card|since|with|y|et|und|nº|numb|du|de|da|do|was|until|till|valid|um|am|ab|seit|bis|like|only|about)$"
)
_MORE = re.compile(
    r"[\s,;/&()\"'-]{1,4}(?:(?:and|und|y|et|e|or|oder|mine|his|hers|her|my|the|new|old|one|is|was|then|now|before|after|from|\w{1,12}'?s?(?= is |:| \()|\w{1,10}'?s(?= \w?\d))[\s(,:\"'-]{1,3}){0,6}"
)


_DIGIT = re.compile(r"\d")
_OWNED = re.compile(r"\b(?:is|was|'s|are|es|era|ist|war|est|e) (?:\w{1,8} ){0,3}[^\d\n]*$")


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{24,}(?![\w-])")


_MEASURED = re.compile(r"\d{1,5} ?[x*\u00d7] ?\d")
"""Length by width."""

_COUNTED = re.compile(
    r"(?:[a-z]{2,7} )?\d{1,3}(?:[.,]?\d{3})? ?(?:euros?|reais|dolares|dollars?|pesos|pounds|rupees|palabras|words|mots|worter|palavras|lines|lineas|linhas|members|miembros|membros|mitglieder|people|persons?|personas|pessoas|personnes|personen|employees|empleados|pages?|paginas|seiten|[kmg]b|photos|fotos|watts|kunden|customers|clientes|clients|students|votes)\b"
)
"""How many there are of something, or how much: no id."""

_IN_A_ROW = re.compile(r"(?:[?&;]|[=:] ?\S{1,40} )id=$")  # of a query's parts, or of a log's
_NEAR, _ANSWER = 66, 110  # how far from the word a value begins, in its line and in the answer to a question


def _is_other(kind: Kind, low: str, start: int, end: int) -> bool:
    """Say whether the words before a value say that it is another thing."""
    return bool(
        _OTHERS.search(low, start, end)
        or (kind.entity != "LICENSE_PLATE" and _HANDPHONE.search(low, start, end))
    )


_WIDEST = 400  # letters of a row


def _is_of_another_column(low: str, cue_end: int, start: int) -> bool:
    """Say whether a value is the first of a row, and its cue not the first of the row above."""
    row = low.rfind("\n", cue_end, start) + 1
    if not row or low[row:start].strip(" |"):
        return False
    head = max(low.rfind("\n", max(0, cue_end - _WIDEST), cue_end) + 1, cue_end - _WIDEST, 0)
    return "|" in low[head:cue_end].lstrip(" |")


def _is_no_value(kind: Kind, folded: Folded, match: re.Match[str]) -> bool:
    """Say whether a value is the id of a record, or the size of something."""
    low, start = folded.low, match.start("value")
    in_a_row = kind.entity == "NATIONAL_ID" and _IN_A_ROW.search(low, max(0, start - 48), start)
    is_counted = in_a_row and counts(match["value"])[0] <= 6  # digits
    is_measured = kind.entity != "LICENSE_PLATE" and _MEASURED.match(folded.text, start)
    return bool(is_counted or is_measured or _UUID.match(low, start) or _COUNTED.match(low, start))


def _first(kind: Kind, forward: re.Pattern[str], folded: Folded, end: int) -> tuple[int, int] | None:
    """The first value after a word that fits: what only looks like one is stepped over."""
    at = end
    for _ in range(5):
        match = forward.match(folded.low, at)
        if match is None or match.start("value") - end > (_ANSWER if "?\n" in match["mid"] else _NEAR):
            return None
        digit = _DIGIT.search(folded.low, match.start("value"))
        if (
            digit is None
            or _NOT_BETWEEN.search(folded.low, end, digit.start())
            or _is_other(kind, folded.low, end, digit.start())
        ):
            return None
        if _is_no_value(kind, folded, match):
            return None
        if folded.low[end - 3 : end] == "rfc" and match["value"][0].isdigit():
            return None  # a taxpayer's begins with letters, a document of the internet has a number
        place = None
        if "|" not in match["mid"] or not _is_of_another_column(folded.low, end, match.start("value")):
            place = _fitting(kind, folded, match.start("value"), match.end("value"))
        if place is not None:
            return place
        at = match.start("value")
        flight = kind.entity == "PASSPORT" and NO_PASSPORT.match(folded.low, at)
        at = flight.end() if flight else _past_word(folded.low, at)
    return None


_DAY = re.compile(r"\d{1,2}([./])\d{1,2}\1(?:19|20)?\d\d(?!\w)")


def _past_word(low: str, at: int) -> int:
    """Behind a word, or behind a whole date: what is left of one would pass for an id."""
    if day := _DAY.match(low, at):
        return day.end() + 1
    while at < len(low) and low[at].isalnum():
        at += 1
    return at + 1


def _reader(kind: Kind) -> Callable[[Folded, Ends], Iterator[Hit]]:
    forward, backward, value_form = (
        re.compile(kind.forward()),
        re.compile(kind.backward()),
        re.compile(kind.value),
    )

    no_cue = _NO_CUES.get(kind.entity)

    def find(folded: Folded, ends: Ends) -> Iterator[Hit]:
        low, done = folded.low, -1
        for end in sorted(set(ends)):
            if end < done:
                continue
            if _OWNED.search(low, max(0, end - 40), end) and _DIGIT.search(low, max(0, end - 60), end):
                for said in backward.finditer(low, max(0, end - 70), end):
                    if place := _fitting(kind, folded, said.start("value"), said.end("value")):
                        yield Hit(kind.entity, *place, kind.score)
            if _DIGIT.search(low, end, end + _ANSWER) is None or (
                no_cue and no_cue.search(low, max(0, end - 40), end)
            ):
                continue
            if kind.entity == "MEDICAL_ID" and is_of_the_world(low, end):
                continue
            place = _first(kind, forward, folded, end)
            while place is not None:
                yield Hit(kind.entity, *place, kind.score)
                done = place[1]
                joint = _MORE.match(low, done)
                more = joint and value_form.match(low, joint.end())
                digit = more and _DIGIT.search(low, more.start())
                if more is None or (digit and _is_other(kind, low, done, digit.start())):
                    break
                place = _fitting(kind, folded, *more.span(), least=place)
                if place and (_ELSE.search(low, done, place[0]) or _is_other(kind, low, done, place[0])):
                    break
            if done > end:
                yield from _again(kind, folded, done)

    return find


def _again(kind: Kind, folded: Folded, end: int) -> Iterator[Hit]:
    """Values of the very same form soon after one: the old number beside the new one, a second line of a table."""
    low = folded.low
    start = end
    while start > max(0, end - 30) and low[start - 1] not in "\n:=?\"'|(,;":
        start -= 1
    value = low[start:end].split(" ")
    form = ""
    for at in range(
        len(value) - 1, -1, -1
    ):  # from the last word with digits back over those that belong to it
        if not _DIGIT.search(value[at]) and (
            at < len(value) - 2 or len(value[at]) > 4 or _OPENERS.match(value[at])
        ):
            break
        form = " ".join(value[at:])
        if len(value) - at == 3:
            break
    digits, alphas = counts(form)
    if digits + alphas < 6 or (not alphas and digits < 8) or digits < 3 or DATE.fullmatch(form):
        return
    shape = "".join(
        "[0-9]"
        if one.isdigit()
        else "[A-Z]"
        if one.isalpha() and folded.text[end - len(form) + at].isupper()
        else "[a-z]"
        if one.isalpha()
        else re.escape(one)
        for at, one in enumerate(form)
    )
    for match in re.compile(rf"(?<![\w.,-]){shape}(?![\w-]|[.,]\d)").finditer(folded.text, end, end + 160):
        if not _NOT_BETWEEN.search(low, max(0, match.start() - 16), match.start()):
            yield Hit(kind.entity, *match.span(), 0.6)


def _has_capital(text: str, start: int, end: int) -> bool:
    return any(map(str.isupper, text[start:end]))


_AMONG = 500  # characters


def _shouted(folded: Folded, start: int, end: int) -> bool:
    """It stands in capitals among words that do not."""
    return (
        folded.text[start:end].isupper() and not folded.text[max(0, start - _AMONG) : end + _AMONG].isupper()
    )


def _opens(kind: Kind, folded: Folded, start: int, end: int, word: str) -> bool:
    """Say whether the word that a value seems to begin with is one of the sentence."""
    as_written = folded.text[start : start + len(word)]
    return bool(
        (_OPENERS.match(word) and not _shouted(folded, start, start + len(word)))
        or (as_written.islower() and (len(word) > 3 or folded.text[end - 1].isupper()))
        or (kind.entity != "LICENSE_PLATE" and _NAMES.match(word))
        or (len(word) > 3 and DATE.fullmatch(folded.low[start + len(word) + 1 : end]))
    )


def _fitting(
    kind: Kind, folded: Folded, start: int, end: int, least: tuple[int, int] | None = None
) -> tuple[int, int] | None:
    """Where the value stands, without words of the sentence that look like a part of it."""
    while (filler := _FILLER.match(folded.low, start, end)) and folded.text[start : filler.end()].islower():
        start = filler.end()
    opener = _LEADING.match(folded.low[start:end])
    if opener and _opens(kind, folded, start, end, opener[1]):
        start += opener.end()
        opener = None
    while (
        (trailer := _TRAILING.search(folded.low, start, end))
        and not _ends_plate(kind, folded, start, end)
        and (
            (_OPENERS.match(trailer[1]) and not _shouted(folded, *trailer.span(1)))
            or not (
                folded.text[trailer.start(1)].isupper()
                or (opener and _CLOSING.search(folded.low, start, end))
                or len(trailer[1]) == 1
            )
            or (
                folded.text[trailer.start(1) : end].islower()
                and (_has_capital(folded.text, start, trailer.start()) or folded.text[trailer.start()] == "/")
            )
            or _WORD.fullmatch(folded.text, *trailer.span(1))
        )
    ):
        end = trailer.start()
    if kind.entity == "LICENSE_PLATE" and (joined := _JOINED.search(folded.text, start, end)):
        end = joined.start()
    if kind.entity in _LED_TO and (led := _LED.match(folded.text, start, end)):
        start = led.end(1)
    start, end = _told_one_by_one(folded, start, end)
    if _UUID.match(folded.low, start):
        return None
    if start >= end or not kind.fits(folded.low[start:end]):
        return None
    if least is not None and not _is_like(kind, folded.text[slice(*least)], folded.text[start:end]):
        return None
    return start, end


_ALOUD = re.compile(r"(?:[a-z] )?\d(?: \d)+")
_GOES_ON = re.compile(r"(?: \d(?!\w|[.,:/]\d))*")
_SPELT = re.compile(r"(?<![\w'])(?:[A-Z] ){1,3}$")


def _told_one_by_one(folded: Folded, start: int, end: int) -> tuple[int, int]:
    """Where a value stands whose letters and digits are told each for itself: A B 1 2 3 4 5 6 7 8."""
    if not _ALOUD.fullmatch(folded.low, start, end):
        return start, end
    goes_on, spelt = _GOES_ON.match(folded.low, end), _SPELT.search(folded.text, max(0, start - 6), start)
    return spelt.start() if spelt else start, goes_on.end() if goes_on else end


def _ends_plate(kind: Kind, folded: Folded, start: int, end: int) -> bool:
    """Say whether the small letters at the end belong to a British plate."""
    return kind.entity == "LICENSE_PLATE" and _BRITISH.fullmatch(folded.low, start, end) is not None


def _is_like(kind: Kind, first: str, value: str) -> bool:
    """Say whether a second value is about as long as the first, and not of small letters behind capital ones."""
    if kind.entity == "LICENSE_PLATE" and value.isdigit() and not first.isdigit():
        return False
    return abs(len(value) - len(first)) <= 4 and not (value.islower() and first.isupper())


_SORT = re.compile(
    r"(?<![\w-])\d{2}([ -])\d{2}\1\d{2}(?: ?[,/] ?|[ ,]{1,2}(?:acc\w{0,5}|account)[ :]{1,2}|  ?)\d{8}(?![\w-]|[.,]\d)"
)
_TRANSIT = re.compile(
    r"\btransit\W{1,3}(?:no\.? |is )?(\d{5})\b[ ,;/]{1,3}(?:and )?(?:institution|inst|bank)\W{1,3}(?:no\.? )?(\d{3})\b"
)
_ENDS = re.compile(
    r"\b(?:account|acct|acc|konto|cuenta|compte|conta)\b[^\n.;\d]{0,24}?(?:ends?|ending|last (?:four|4)|terminad[ao]|termina|endet auf|final)\b[^\n.;\d]{0,12}?(\d{3,4})(?![\w]|[-.,/]\d)|last (?:four|4)(?: digits)? of (?:the|your|my) (?:bank )?acc\w{0,5}[^\n\d]{0,24}\n?[^\n\d]{0,12}?(\d{4})(?!\w)"
)


def _find_accounts(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_SORT, folded.low, ends, 30, 20):
        yield Hit("BANK_ACCOUNT", match.start(), match.end(), 0.85)
    for match in around(_TRANSIT, folded.low, ends, 50, 6):
        for group in (1, 2):
            yield Hit("BANK_ACCOUNT", match.start(group), match.end(group), 0.8)
    for match in around(_ENDS, folded.low, ends, 70, 6):
        group = match.lastindex or 1
        yield Hit("BANK_ACCOUNT", match.start(group), match.end(group), 0.7)


def _sign(kind: Kind) -> str:
    return rf"(?:\b|_)(?:{kind.words})(?:\b|_)"


RECOGNIZERS = (
    *(
        Recognizer(
            kind.entity.lower().replace("_", " ") + " in words", (_sign(kind),), _reader(kind), every=True
        )
        for kind in KINDS
    ),
    Recognizer(
        "accounts",
        (
            r"\d{2}[ -]\d{2}[ -]\d{2}[ ,/a-z:]{1,12}\d{8}",
            r"\b(?:institution|inst|bank)\W{1,3}(?:no\.? )?\d{3}\b",
            r"\b(?:ends?|ending|terminad[ao]|termina|endet|final|last (?:4|four))\b[^\d]{0,48}\d{3}",
        ),
        _find_accounts,
        every=True,
    ),
)
