"""A user name and a password in one breath: "login mossy password porridge", "log in as mossy / porridge".

Neither need look like one, so that one of the two must be announced ("is", ":"), or be no everyday word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.handles import EVERYBODYS, NO_NAME, telling, unheard
from vault.redaction.patterns.passwords import says_how
from vault.redaction.technical import is_technical

_CUE: Final = (
    r"(?:pass(?:words?|wd|phrase|code|wort)?|pwd?|pswd|contrasena|clave|senha|kennwort|mdp|mot de passe|palavra-passe"
    r"|wachtwoord|haslo|losenord|parola)"
)
_USER: Final = (
    r"(?:(?P<named>user ?-?names?|login (?:name|id)|usuari[oa]|benutzer(?:name)?|nutzername|identifiant|utilizador|utilisateur)"
    r"|user(?: ?id)?|log ?in|id|acc(?:oun)?t?|creds?|credentials|e-?mail(?: address)?)"
)
_IS: Final = r"(?: ?[:=]|'s| is| was| ist| lautet| es| era| est| e)"
_MAIL: Final = r"[a-z0-9][\w.+-]{0,60}@[a-z0-9-]{1,40}(?:\.[a-z0-9-]{2,24}){1,4}"
_END: Final = (
    r"(?=[\"'`*)]{0,2}(?:[.,;:!)]{0,3}(?:\s*$|\n|[,;)] ?)|[.!?] "
    r"| (?:and|but|for|on|to|in|at|it|its|thanks|thx|please|pls|lol|btw|doesn'?t|does|isn'?t|won'?t|wont|still|not|no|thats?|werkt|niet|funziona|non|funciona"
    r"|that's|i|is|und|geht|komme|aber|y|pero|no|me|et|mais|ca|e|mas|nao)\b))"
)
_SAID: Final = re.compile(
    rf"(?:(?<![\w-]){_USER}(?P<told>{_IS})?[ \n]{{1,2}}[\"'`]?(?P<user>{_MAIL}|[a-z0-9][\w.-]{{2,30}})|(?<![\w.+-])(?P<mail>{_MAIL}))"
    r"[\"'`]?[,;.]?[ \n]{1,2}(?:[/|&+-] )?(?:(?:and|und|y|et|e|with|mit|con|avec|com) )?(?:(?:the|my|his|her|your|mein|das|la|mi|le|mon|a|minha) )?"
    rf"(?P<pass>{_CUE})(?P<is>{_IS})?[ \n]{{1,2}}[\"'`*]{{0,2}}(?P<value>[a-z][\w-]{{3,23}}){_END}"
)
_THEN: Final = re.compile(
    rf"(?<![\w-]){_CUE}(?: (?:of|for|vom|von|fur|del|de|du|do|di|voor|van) (?:the )?[\w-]{{2,16}})?{_IS}?[ \n]{{1,2}}[\"'`*]{{0,2}}(?=[a-z!?#.-]*\d)[^\s\"'`,]{{5,24}}[\"'`*]{{0,2}},?[ \n]"
    r"(?:(?:and|und|y|et|e|en) )?(?:(?:the|my|mein|mi|mon|il|mijn) )?"
    rf"(?:user(?: ?name)?|log ?in|benutzer|gebruiker|utente|utilisateur|usuario){_IS}?[ \n][\"'`]?(?P<user>[a-z][\w.-]{{3,30}}){_END}"
)
"""The password first, with a digit in it, and who it is for."""

_AS: Final = re.compile(
    r"\b(?:(?P<given>creds?|credentials|log ?ins?|sign ?in|access)(?: details| data)?(?: for [\w-]{2,20})?(?: (?:is|are|as|with|using)|:)"
    r"|(?:log(?:ged|ging)?|sign(?:ed|ing)?) ?in(?:to [\w-]{2,20})? (?:as|with|using))"
    rf" (?P<user>{_MAIL}|[a-z0-9][\w.-]{{2,30}}) ?/ ?(?P<value>[a-z][\w-]{{3,23}}){_END}"
)
_MAILED: Final = re.compile(
    rf"\b(?:log ?in|sign ?in|acc(?:oun)?t|creds?|credentials|netflix|spotify|hulu|disney ?\+?|prime|icloud|paypal|steam|hbo|wi-?fi)\b[^\n@]{{0,24}}[ :]"
    rf"(?P<user>{_MAIL})(?: ?[/|,:] ?| (?:and |with )?)(?P<value>[a-z][\w-]{{4,23}}){_END}"
)
_NETWORK: Final = re.compile(
    rf"\bwi-?fi(?: (?:name|network|ssid))?(?: is| ?:)? [\"'`]?[\w-]{{3,24}}[\"'`]?(?: ?/ ?|, ?(?:the )?(?:code|key|{_CUE})(?: is| ?:)? )[\"'`]?(?P<value>[a-z][\w-]{{4,23}}){_END}"
)
# fmt: off
_LISTED: Final = (
    "account address admin again apple attempt attempts auth authentication authenticator between box boxes button"
    " change changes check checks code combination combined combo confirm confirmation confirmed daily data database"
    " details dialog email entry error errors expiry facebook failed fails field fields file fingerprint form format"
    " generator google github gitlab guest handling hash hashes help hint host id input inputs issue issues key keys"
    " label labels language length level like link list lists logic login logins logout lookup manager managers"
    " member microsoft mail mobile number numbers oauth once only option options owner page pages pair pairs panel"
    " parent password passwords payload phone pin policies policy popup port problem problems prompt prompts protected"
    " protection question questions rate register registration reset resets role root rotation rule rules"
    " screen screens sections security server service session settings signin signup staff storage store strength"
    " student support switch sync system table tables teacher test text through together token tokens twice twitter"
    " type types update updates user username users validation validator value values variable vault verification"
    " visitor wise word words"
)
# fmt: on
_GENERAL: Final = frozenset(_LISTED.split())


def is_general(value: str) -> bool:
    """Say whether a word tells of users and passwords in general, or how one is."""
    return bool(value in _GENERAL or says_how(value) or NO_NAME.match(value) or is_technical(value))


def _is_made_up(value: str, original: str) -> bool:
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed or "@" in value or telling(value, original) or (value.isalpha() and unheard(value))


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_SAID, folded.low, ends, 110, 50):
        group = "mail" if match["user"] is None else "user"
        user, value = match[group], match["value"]
        if is_general(value) or (user in _GENERAL and not EVERYBODYS.match(user)) or NO_NAME.match(user):
            continue
        original = folded.text[match.start(group) : match.end(group)]
        announced = match["told"] or match["is"] or match["named"] or match["pass"] in {"pw", "pwd", "mdp"}
        if not (announced or _is_made_up(user, original) or unheard(value)):
            continue
        yield Hit("SECRET", *match.span("value"), 0.8)
        if "@" not in user and not EVERYBODYS.match(user):
            yield Hit("USERNAME", *match.span(group), 0.7)

    for match in around(_THEN, folded.low, ends, 16, 90):
        user = match["user"]
        if not (is_general(user) or user in _GENERAL or EVERYBODYS.match(user)):
            yield Hit("USERNAME", *match.span("user"), 0.7)


def _find_beside(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_AS, folded.low, ends, 50, 70):
        user, value = match["user"], match["value"]
        if is_general(value) or user in _GENERAL or NO_NAME.match(user):
            continue
        original = folded.text[match.start("user") : match.end("user")]
        if _is_made_up(user, original) or unheard(value):
            yield Hit("SECRET", *match.span("value"), 0.8)
            if "@" not in user and not EVERYBODYS.match(user):
                yield Hit("USERNAME", *match.span("user"), 0.7)


def _find_shared(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for pattern in (_MAILED, _NETWORK):
        for match in around(pattern, folded.low, ends, 90, 130):
            value = match["value"]
            if not is_general(value) and unheard(value):
                yield Hit("SECRET", *match.span("value"), 0.7)


RECOGNIZERS = (
    Recognizer(
        "what is shared at home",
        (
            r"\b(?:log ?in|sign ?in|acc(?:oun)?t|creds?|credentials|netflix|spotify|hulu|disney ?\+?|prime|icloud|paypal|steam|hbo)\b.{0,26}[ :][a-z0-9][\w.+-]{0,60}@",
            r"\bwi-?fi\b.{3,60}(?:/|code|key|pass|pw)",
        ),
        _find_shared,
        every=True,
    ),
    Recognizer("users and passwords", (rf"[\s\"'`]{_CUE}(?:'s)?[ :=\n]", rf"^{_CUE}[ :]"), _find, every=True),
    Recognizer(
        "users beside passwords",
        (r"\b(?:creds?|credentials|access|(?:log(?:ged|ging)?|sign(?:ed|ing)?) ?ins?)\b",),
        _find_beside,
        every=True,
    ),
)
