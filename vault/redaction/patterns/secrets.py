"""Secrets: the keys of known providers, tokens, private keys, passwords in connection strings, in fields and in prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.passwords import says_how
from vault.redaction.patterns.providers import KNOWN, SIGNS
from vault.redaction.patterns.strength import (
    is_changed_to,
    is_of_a_field,
    is_strong,
    is_told,
    names_a_field,
)
from vault.redaction.segments.labels import names_a_field as is_field
from vault.redaction.technical import is_a_product, is_mentioned, is_technical

_JWT = re.compile(r"(?<![\w.-])eyJ[\w-]{8,4096}\.[\w-]{4,8192}(?:\.[\w-]{0,2048})?")
_PRIVATE = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S]){0,16384}+(?:-----END [A-Z0-9 ]{1,60}-----)?"
)
_BEARER = re.compile(
    r"\b(?:bearer|authorization:? ?(?:basic|token|bearer)?|x-api-key|x-auth-token|apikey)[\s:=\"']{1,4}(?:basic |token |bearer )?([\w.~+/=-]{12,}+)",
    re.IGNORECASE,
)
_DSN = re.compile(r"\b[a-z][a-z0-9+.-]{1,24}://([^\s:/@\"'<>]{0,128}):([^\s@/\"'<>]{1,256})@")
_BASIC = re.compile(r"(?:\s-u|--user)[ =]?[\"']?([\w.@-]{2,64}):([^\s\"':]{2,128})")
_HANDED = re.compile(
    r"\b\w{0,12}(?:auth|login|credentials?)\s?[=(:]\s?(?:[\w.]{1,40}\(|[(\[])?\s?(?P<quote>[\"'])([\w.@\\+-]{2,64})(?P=quote),\s?(?P<other>[\"'])([^\s\"']{4,128})(?P=other)\s?[)\]]"
)
_FIELD = re.compile(
    r"(?<![a-z])[\"']?(?:[a-z0-9]{1,20}[_.-]){0,4}(?:pass(?:word|wd|phrase|code)?|pwd|pw|psk|secret|secret_?key|(?:auth|access|refresh|session|bearer)?token|api_?key|apikey|access_?key|auth_?key|bind_?pw|root_?pw|private_?key|encryption_?key|client_?secret|credentials?|signing_?key|wpa2? ?key"
    r"|contrasena|clave|senha|passwort|kennwort|mdp|mot_de_passe|pin|pin_?code|alarm_?code|door_?code|otp|cvv|cvc)[\"']?\s{0,3}(?::=|=>|[:=])\s{0,3}(?P<quote>[\"'`]?)(?:(?P<quoted>(?:\\\S|(?!(?P=quote))[^\s\\]){3,512}+)(?=(?P=quote))|(?P<value>[^\s\"'`<>{}]{3,512}))"
)
_NO_VALUE = re.compile(
    r"(?:none|null|nil|true|false|undefined|required|optional|string|str|text|password|passwort|secret|token|changeme|change_me|example|your\S*|my\S*|xxx+|\*+|\.\.\.|\$\S*|%\S*|os\.\S*|process\.\S*|env\S*|self\.\S*|config\S*|settings\S*|get\S*|input\S*"
    r"|forgot\S*|reset\S*|int|bytes|bool|char|varchar\S*|function\S*|lambda|new|await|import|return|request\S*|req\.\S*|args\S*|params\S*|user\S*|data\S*|len\S*|hash\S*|bcrypt\S*|sha\d+\S*|md5\S*|[a-z_.]+\(.*|[a-z_]+\[.*|<\S*|\{{1,3}[\w.]*\}{1,3}|not|is|was|the|and|a|an|i|it|wrong|no|yes|same|what|how|why|when|which|incorrect|invalid|expired|\[(?:pad|cls|sep|mask|unk|bos|eos)\d?\]?|\d{1,2}|\d{1,4}-(?:day|week|month|year|hour|minute|char|character|letter|digit|bit|byte)s?)$"
)
_NO_CREDENTIAL = re.compile(
    r"(?:next|prev|previous|page|continuation|cursor|start|pad|eos|bos|unk|cls|sep|mask)[_.-]?(?:page[_-]?)?token\W*$"
)
"""Where a list goes on, or a sign of a vocabulary."""

_COUNTED_BY = re.compile(r"[a-z]{2,20}[_-](?:tokens?|keys?)\W*$")
_COUNT = 5  # digits that are too few for a token, behind a field of one

_DIRECTORY = re.compile(r"(?:old)?pwd[\"']?\s{0,3}[:=]\s{0,3}[\"'`]?(?:/|~|\.{1,2}(?:/|$|\s)|[a-z]:[\\/])")
"""The folder where one is, which shells call PWD."""

_SPOKEN = (
    r"\b(?:pass(?:words?|code|phrase|wort|e)?|pw|pwd|psw|passwd|kennwort|passwort|contrasena|contrasenya|contra|clave|senha|palavra-passe|mot de passe|mdp|parola|haslo|wachtwoord|losenord|wi-?fi key|wlan-?(?:key|schlussel)|wpa2?(?: key)?|network key|security key|private key|pre-?shared key|psk|signing key|encryption key|master key|auth(?:: basic)?"
    r"|(?:security|memorable|secret|safe|magic) (?:word|answer|phrase|place)|anti phishing phrase|recovery (?:code|key|phrase)|backup code|licen[cs]e key|product key|api ?-?key|access key|secret key|secret|token|clave de api|api key|login)\b"
)
_NEXT = re.compile(r"[\s\"'`(,:=?>-]{1,6}([^\s\"'`()]{1,256})")
_WORD_ANSWER = re.compile(
    r"\b(?:security|memorable|secret|safe|duress) (?:word|answer|phrase|place|name|question)[\"')]?(?:\s?:|,? (?:first pet|is|was|that'?s|=)[,:]?| is:|[?.]?\)?\s?\n(?:\w{2,12}: ?)?(?:it'?s |its )?|(?= [a-z]{4,20},))\s{0,2}(?:first pet,? |mother'?s maiden name,? )?[\"']?([a-z][\w' -]{2,30}?)(?=[\"'.,;!?\n]|$)"
    r"|\b(?:anti phishing phrase|pass ?phrase|passphrase|'memorable (?:word|place)')(?: is|:|,? that'?s)\s{1,2}[\"']?([a-z][\w' -]{2,40}?)(?=[\"'.,;!?\n]|$)"
)
_ASSIGNED = re.compile(
    r"(?:password|passwort|kennwort|passcode|contrasena|clave|senha|mot de passe|mdp|pw|pwd|pass|palavra-passe|wi-?fi|wlan)\b[\"']?"
    r"(?:\s(?:is|was|war|ist|es|era|e|est|etait|lautet|now|for \w{2,12}|del \w{3,12}|do \w{3,12}|set to|changed to|to))*\s?(?::|=|\bis\b|\bwas\b|\bist\b|\bwar\b|\best\b|\bes\b|\bera\b|\be\b|\blautet\b|\bto\b)\s{0,2}"
    r"(?P<quote>[\"'`])?(?P<value>[^\s\"'`]{4,128})"
)
_PIN = re.compile(
    r"\b(?:pin(?: ?(?:code|number|nummer|no))?|puk\d?|otp|tan|cvv2?|cvc2?|csc|passcode|2fa|mfa|(?:door|gate|alarm|access|security|verification|sms|login|entry|lock|key ?box|safe|auth\w*|backup|recovery|one[- ]time|confirmation|unlock|garage|building|entrance|email|entry|lockbox|voicemail|buzzer|cellar|keypad|house|shed|bike|locker|gun safe|front door|wifi|account|back door)[ -]code|gym locker|locker|padlock|bike lock|tpin|mpin|voicemail|token|code for (?:the|my|our) [a-z]{3,10}"
    r"|(?:tur|zugangs?|sicherheits|schlusselsafe|alarm|bestatigungs|entsperr)-?code|codigo (?:de|del|da|do) [a-z]{3,14}|code (?:de|du|pour) (?:la |le |l')?[a-z]{3,14}|digicode|clave|contrasena|senha|geheimzahl|kennwort|combination|combo|the code|my code|el codigo|o codigo|le code|der code|code)\b"
    r"(?P<mid>[^\n;!\d]{0,40}?(?:\n[^\n\d]{0,14}?)?)(?P<value>(?<![\w.,/:$+-])\d{3}[ -]\d{3}(?![\w%])|(?<![\w.,/:$+-])\d{3,10}[#*]?(?![\w%]|[.,/:-]\d)|(?<![\w.,/:$+-])\d{1,3}[a-f]\d{1,4}(?![\w%])|(?<![\w.,/:$+-])\d{3,6}[a-f](?!\w)|(?<![\w.,/:$+-])\d{1,2}-\d{1,2}-\d{1,2}(?![\w%-]))"
)
_NO_PIN = re.compile(
    r"\b(?:error|zip|area|cent(?:re|er)|school|office|city|plant|country|exit|status|response|http|postal|post|dial(?:l?ing)?|promo|discount|coupon|voucher|booking|product|source|dress|morse|bar|qr|colou?r|airport|swift|department|dep|hs|class|course|rate|lines? of|sort|reference|order|item|fault|error-|ocd|tax|invite|zoom|return|unexpected|returns|returned|exits with|exited with|failed with|fails with|throws|threw|\d)[ -]?$"
)
_COUNTED = re.compile(
    r"\b(?:line|page|step|year|error|version|python|order|counts?|limits?|length|size|budget|quota|usage|lifetime|ttl|timeout|attempts|retries|costs?|rate|coverage|port|position|offset|column|index|exceeded|item|zip|postcode|plz)\b"
)
"""It says what a number before it counts, so that the number is no code."""

_PRINTED = re.compile(
    r"\W{1,3}(?:returns?|returned|prints?|printed|outputs?|gives|gave|yields|produces|exits|fails|crashes|runs|gibt|liefert|devuelve|renvoie|retourne|affiche|retorna|imprime)\b"
)
"""What the code does that is a program."""

_UNIT = re.compile(
    r" ?(?:s|sec|secs|seconds|ms|min|mins|minutes|hours?|days?|weeks|bits?|bytes|lines|tokens|words|chars|characters|requests|rows|sekunden|minuten|stunden|tage|segundos|minutos|horas|secondes|heures)\b"
)
_FAULT = re.compile(r"\W{1,6}(?:msg|message|error|reason|detail|status)\b")
_QUESTIONED = re.compile(
    r"\banswer (?:to|for) (?:the|my|your|his|her|that) (?:security|secret|safety|memorable|recovery) question(?: is| was|:|,? (?:i think )?it'?s)? [\"'`]?([a-z][\w' -]{2,30}?)(?=[\"'`.,;!?\n]|$| (?:and|but|i think|though)\b)"
)
_PLAIN_ANSWER = re.compile(
    r"(?:yes|yeah|yep|yup|no|nope|not|ok|okay|sure|maybe|i|we|it|si|ja|nein|oui|non|sim|nao)\b"
)
"""To a question that asks for no word: are you in a safe place?"""

_SEED = re.compile(
    r"\b(?:seed|recovery phrase|mnemonic|seed phrase|secret phrase|frase semilla|wiederherstellungsphrase)\b[^\n\w]{0,4}(?:[^\n:]{0,50}:|(?:(?:is|phrase|words|are|:)[^\n\w]{1,3}){0,3})[\s\"']{0,3}((?:(?!is\b|it\b|the\b|and\b|what\b)[a-z]{3,8}[ ,]{1,2}){11,23}(?!is\b|it\b|the\b|and\b|but\b|what\b)[a-z]{3,8})\b"
)
_LISTED_CODES = re.compile(
    r"\b(?:backup|recovery|emergency|scratch) codes?\b[^\n\d]{0,40}\n?((?:[ \d-]{6,14}(?:\n|, ?|$)){1,12}|(?:(?=[a-z-]{0,20}\d)[a-z0-9]{3,8}(?:-[a-z0-9]{3,8}){1,4} ?(?:\n|, ?|$)){1,12})"
)
_AS_PIN = re.compile(r"(?<![\w.,/:$+-])(\d{4,8}) as (?:the |my |a |your )?(?:pin|passcode|password|code)\b")
_WEAK_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*$")


_MORE = re.compile(r"[\w+/=~-]*+")
_LONG = 16  # characters of a run that goes on with a value


def _cut(value: str) -> str:
    """The value without the punctuation of the sentence around it."""
    value = value.rstrip(".,;:)]}>\"'`")
    if value.endswith("?") or (value.endswith("!") and not any(map(str.isdigit, value))):
        value = value[:-1]
    return value


def _find_known(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    text = folded.text
    for pattern in (KNOWN, _JWT, _PRIVATE):
        for match in pattern.finditer(text):
            yield Hit("SECRET", match.start(), match.end(), 0.95)
    for match in _BEARER.finditer(text):
        if any(map(str.isdigit, match[1])):
            yield Hit("SECRET", match.start(1), match.end(1), 0.9)


def _find_urls(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in _HANDED.finditer(folded.text) if ends.signs & 1 << 2 else ():
        if not _NO_VALUE.match(match[4].lower()):
            yield Hit("SECRET", *match.span(4), 0.9)
            yield Hit("USERNAME", *match.span(2), 0.8)
    for pattern in (_DSN, _BASIC):
        for match in pattern.finditer(folded.low if pattern is _DSN else folded.text):
            if match[2][0] in "${<" or match[2] in {"password", "pass", "secret", "pwd", "xxx", "****"}:
                continue
            yield Hit("SECRET", match.start(2), match.end(2), 0.95)
            if match[1] and match[1] not in {"root", "user", "username", "postgres", "admin", "guest"}:
                yield Hit("USERNAME", match.start(1), match.end(1), 0.9)


def _find_fields(folded: Folded, ends: Ends) -> Iterator[Hit]:
    runs = _Runs(folded.low)
    for match in around(_FIELD, folded.low, ends, 100, 560):
        group = "value" if match["quoted"] is None else "quoted"
        start, value = match.start(group), match["quoted"] or _cut(match["value"]).rstrip(",")
        if _NO_CREDENTIAL.search(folded.low, match.start(), start):
            continue
        if _DIRECTORY.match(folded.low, match.start()) or is_technical(value):
            continue
        if len(value) <= _COUNT and value.isdigit() and _COUNTED_BY.search(folded.low, match.start(), start):
            continue
        if (
            len(value) >= 3
            and not _NO_VALUE.match(value)
            and not (_WEAK_WORD.match(value) and not match["quote"])
        ):
            yield Hit("SECRET", start, runs.end(start + len(value)), 0.9)


class _Runs:
    """Where values end that are longer than is looked for; a run that many stand in is read once."""

    def __init__(self, low: str) -> None:
        self._low = low
        self._start = self._end = -1

    def end(self, at: int) -> int:
        """Give the end of the run that goes on with a value, or where the value ends itself."""
        if not self._start <= at <= self._end:
            more = _MORE.match(self._low, at)
            self._start, self._end = at, more.end() if more else at
        return self._end if self._end - at >= _LONG else at


def _find_spoken(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, signs, runs = folded.low, ends.signs, _Runs(folded.low)
    for cue_end in sorted(set(ends)):
        at = cue_end
        if low.endswith(("wifi", "wi-fi", "wlan"), 0, cue_end) and (network := _NETWORK.match(low, cue_end)):
            at = network.end()  # its name comes first, and then the word for its key
            if digits := _NETWORK_DIGITS.match(low, at):
                yield Hit("SECRET", *digits.span(1), 0.8)
                continue
        elif low.endswith(("wifi", "wi-fi", "wlan"), 0, cue_end) and (network := _SSID.match(low, cue_end)):
            at = network.end()
        # The value is one of the words that follow in the sentence: the first that looks like one.
        for _ in range(7):
            word = _NEXT.match(low, at)
            if word is None:
                break
            start, at = word.start(1), word.end()
            value = _cut(folded.text[start:at])
            if value.endswith("*") and "*" in low[max(0, start - 60) : start]:
                value = value.rstrip("*.,")  # Markdown's, not the value's
            if is_strong(value) and _is_secret(low, value, cue_end, start):
                yield Hit("SECRET", start, runs.end(start + len(value)), 0.8)
                break
            if word[1][-1] in ".;!?" and len(word[1]) > 2 and low[at : at + 1] != "\n":
                break
    for match in around(_ASSIGNED, low, ends, 24, 190) if _any(low, _PASSWORDS) else ():
        value = _cut(match["value"])
        plain = _WEAK_WORD.match(value)
        if (
            len(value) >= 4
            and not (_NO_VALUE.match(value) or is_technical(value) or _DIRECTORY.match(low, match.start()))
            and not names_a_field(value)
            and (not plain or match["quote"])
        ):
            yield Hit("SECRET", match.start("value"), match.start("value") + len(value), 0.85)
    if signs & _CODES:
        for match in around(_LISTED_CODES, low, ends, 24, 200):
            yield Hit("SECRET", match.start(1), match.end(1), 0.8)
        for match in around(_AS_PIN, low, ends, 60, 4):
            yield Hit("SECRET", match.start(1), match.end(1), 0.7)
    for pattern, words in _ANSWERS:
        if not _any(low, words):
            continue
        for match in around(pattern, low, ends, 30, 240):
            group = match.lastindex or 1
            if _PLAIN_ANSWER.match(match[group]) or says_how(match[group]):
                continue
            yield Hit("SECRET", match.start(group), match.end(group), 0.8)


def _is_secret(low: str, value: str, cue_end: int, start: int) -> bool:
    """Say whether a strong word is the secret that a cue before it speaks of, and no option, product or other field."""
    if (
        is_technical(value)
        or low.endswith(("--", "< ", "{{ ", "{{"), 0, start)
        or is_of_a_field(low, cue_end, start)
    ):
        return False
    if low[cue_end:start].rstrip().endswith(",") and is_field(value):
        return False  # the next of a list of fields
    if low.endswith("pwd", 0, cue_end) and _DIRECTORY.match(low, cue_end - 3):
        return False
    if is_told(low, cue_end, start) or not is_mentioned(value):
        return True
    return is_changed_to(low, cue_end, start) and not is_a_product(value)


def _any(low: str, words: tuple[str, ...]) -> bool:
    return any(word in low for word in words)


# One of the words, or the sign, that stands in all that a pattern finds.
_PASSWORDS = ("pass", "pw", "kennwort", "contrasena", "clave", "senha", "mdp", "wifi", "wi-fi", "wlan")
_CODES = 1 << 3
_ANSWERS = (
    (_QUESTIONED, ("answer ",)),
    (_WORD_ANSWER, ("security", "memorable", "secret", "safe", "duress", "phishing", "phrase")),
    (_SEED, ("seed", "phrase", "mnemonic", "frase semilla")),
)


_NETWORK = re.compile(
    r"[^\n]{0,24}?[\s\"'][\w!-]{3,24}[^\n]{1,24}\b(?:pass\w{0,5}|pw|pwd|key|kennwort|clave|contrasena|senha|code|mdp)\b"
)
_NETWORK_DIGITS = re.compile(r"(?:\s?(?:is|ist|es|est|e|:|=)){0,2}[\s\"']{0,3}(\d[\d ]{6,24}\d)(?!\w)")


_SSID = re.compile(r"\W{0,3}(?:name|network|ssid|net)\b\W{1,3}(?:is |called )?[\"']?[^\s\"',]{1,40}")


_STATUS = re.compile(r"[1-5]\d\d")  # what a server answered
_YEAR = re.compile(r"(?:19|20)\d\d")
_FOR = re.compile(r"\b(?:for|of|in|at) $")
_CODE = 4  # digits, and it is hardly the number of a thing
_SINCE = re.compile(r"\b(?:in|fits|since|from|until|of|by|year|after|before|ab|seit|depuis|desde)\W{1,2}$")


def _find_pins(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in around(_PIN, low, ends, 24, 76):
        cue = low[match.start() : match.start("mid")]
        if cue == "code" and not re.search(
            r"\b(?:is|was|its|it'?s|es|ist|est|e)\W{1,3}$|^\W{0,4}$", match["mid"]
        ):
            continue
        if _NO_PIN.search(low, max(0, match.start() - 14), match.start()) or _COUNTED.search(match["mid"]):
            continue
        if (
            cue == "locker"
            and not match["mid"].strip()
            and (len(match["value"]) < _CODE or _FOR.search(low, max(0, match.start() - 5), match.start()))
        ):
            continue  # its number
        if cue == "token" and len(match["value"]) < _CODE:
            continue  # what a server answered: "this token gives 401"
        if _YEAR.fullmatch(match["value"]) and _SINCE.search(match["mid"]):
            continue
        if _UNIT.match(low, match.end()) or (
            cue.endswith(("code", "codigo"))
            and (_PRINTED.match(match["mid"]) or _FAULT.match(low, match.end()))
        ):
            continue
        if cue.endswith("code") and not re.search(r"\d{4}|\d\d\d", match["value"]):
            continue
        if cue == "code" and match["mid"] == "=" and _STATUS.fullmatch(match["value"]):
            continue
        yield Hit("SECRET", match.start("value"), match.end("value"), 0.75)


RECOGNIZERS = (
    Recognizer(
        "keys and tokens",
        (
            *SIGNS,
            r"eyj[\w-]{8}",
            r"private key",
            r"bearer|authorization|x-api-key|x-auth-token|apikey",
        ),
        _find_known,
        code=True,
    ),
    Recognizer(
        "passwords in addresses",
        (
            r"://[^\s/@]{0,128}:[^\s/]{1,256}@",
            r"(?:\s-u|--user)[ =]?[\"']?[\w.@-]{2,64}:",
            r"(?:auth|login|credentials?)\s?[=(:]\s?(?:[\w.]{1,40}\(|[(\[])?\s?[\"'][\w.@\\+-]{2,64}[\"'],",
        ),
        _find_urls,
        code=True,
    ),
    Recognizer(
        "secret fields",
        (
            r"(?:pass|pwd|pw|psk|secret|token|key|credential|contrasena|clave|senha|kennwort|mdp|mot_de_passe|pin|code|otp|cvv|cvc)[a-z_]{0,9}[\"']?\s{0,3}[:=]",
        ),
        _find_fields,
        code=True,
        every=True,
    ),
    Recognizer(
        "spoken secrets",
        (
            _SPOKEN,
            r"\b(?:seed|mnemonic|wi-?fi|wlan)\b|\banswer (?:to|for) (?:the|my|your|his|her|that) \w{6,9} question\b",
            r"secret phrase|frase semilla|wiederherstellungsphrase|recovery phrase",
            r"\b(?:backup|recovery|emergency|scratch) codes?\b|\d as (?:the |my |a |your )?(?:pin|passcode|password|code)\b",
            r"\b(?:netflix|spotify|hulu|disney\+?|hbo|gmail|paypal|icloud|outlook|facebook|amazon prime|admin|creds?|credentials|auth key|google auth|duress word|session secret|rand -hex)\b",
        ),
        _find_spoken,
        every=True,
    ),
    Recognizer(
        "pins",
        (
            r"\b(?:pin|puk|otp|tan|cvv|cvc|csc|passcode|2fa|mfa|codigo|clave|contrasena|senha|geheimzahl|kennwort|combination|combo|locker|padlock|bike lock|tpin|mpin|voicemail|token)\w{0,6}",
            r"code(?: (?:for|de|du|pour)\b|\b)",
        ),
        _find_pins,
        every=True,
    ),
)
