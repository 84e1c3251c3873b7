"""Passwords that are plain words: "password: dragon", "my wifi password is banana".

What stands there may also say how the password is: wrong, expired, required. Such words are listed, and a
value is taken only where it ends what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.technical import is_technical

_CUE = (
    r"(?:pass(?:words?|wd|phrase|code|wort)|pwd|contrasena|clave|senha|kennwort|mdp|mot de passe|palavra-passe|wachtwoord"
    r"|losenord|haslo|parola)"
)
_IS = "is|was|to|ist|lautet|es|est|e"
_PLAIN = re.compile(
    rf"(?<![a-z])(?P<cue>{_CUE})[\"']?[ \t]{{0,3}}"
    rf"(?P<how>:=|=>|[:=]|(?:{_IS})\b(?: now)?:?)[ \t]{{0,3}}"
    r"[\"'`*]{0,2}(?P<value>[a-z]{4,24})[\"'`*]{0,2}"
    r"(?=[.!)]{0,2}[ \t]*(?:$|[\n,;|}\])])|[.!,]? (?:and|but|please|pls|thanks|thx|lol|lmao|haha\w{0,6}|btw|xd|und|bitte|y|por favor|et|merci)\b)"
)
_OWNED = re.compile(
    r"\b(?:my|our|his|her|their|your|the|wi-?fi|wlan|admin|root|new|old|temp\w{0,6}|default|current"
    r"|mein|unser|mi|mis|nuestra|mon|notre|minha|nossa)(?: [\w-]{1,14}){0,3} $"
)
_ASKED = re.compile(
    r"(?:\b(?:is|was|what|if|whether|when|why|how|not|no|forgot|reset|change) |\?)[^.!?\n]{0,24}$"
)
# fmt: off
_LISTED = (
    "abgelaufen above absent accepted again altered always another anything attached available back"
    " bad bald below best better between blank blocked both broken cached caducada case changed changeme clear"
    " common complex compromised confidential configured confirm confirmed correct correcta correcto"
    " cracked created current default defined deleted denied different disabled down easy either email"
    " empty enabled encrypted enough ensured entered erforderlich error everything exact exists exit"
    " expirada expirado expire expired exposed fail failed failing fails falsch falsche false fine"
    " first fixed forgotten form found from geheim generated given gone good guessable handled hard"
    " hashed here hidden hint identical immutable important impossible inactive included incorrect"
    " incorrecta incorrecto incorreta incorreto insecure inside invalid invalida invalide invalido"
    " kept known last later leaked leer legacy length less like limited listed local locked logged"
    " long longer looks lost made mandatory masked match matched matches matching maybe missing mixed"
    " more must name necessary needed never none nothing notwendig null obligatoire obligatorio okay"
    " only open optional other oubliee out outdated over overdue owned passed pending permanent plain"
    " please possible private probably protected provided public random ready really recorded redacted"
    " rejected removed repeated replaced required requis requise reset restored restricted reused"
    " right rotated safe salted same saved schwach secret secure securely seen sensitive sent separate"
    " set shared short shown sicher similar simple some something somewhere soon spelled still stolen"
    " stored string strong stuck stupid sure temporary text that their them then there these this tied"
    " today tomorrow true type typed unchanged unclear undefined ungultig unique unknown unsafe"
    " unsaved unset until unused updated urgent used useless user username valid validated value"
    " varchar vergessen verified visible want weak well what when where which while wild with word"
    " work worked working works would written wrong wrongly yesterday your yours"
)
# fmt: on
_STATES = frozenset(_LISTED.split())
_STATED = re.compile(r".{2,}(?:ed|ing|able|ible|less|ly|ado|ada|ido|ida|iert|lich|bar)$")


def says_how(value: str) -> bool:
    """Say whether a word, in lower case, tells how something is rather than what it is."""
    return value in _STATES or _STATED.match(value) is not None


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in around(_PLAIN, low, ends, 40, 64):
        value = match["value"]
        if value in _STATES or is_technical(value):
            continue
        if match["how"][0].isalpha():
            before = low[max(0, match.start() - 48) : match.start()]
            if _STATED.match(value) or _ASKED.search(before) or not _OWNED.search(before):
                continue
        yield Hit("SECRET", match.start("value"), match.end("value"), 0.7)


RECOGNIZERS = (
    Recognizer(
        "plain passwords",
        (rf"{_CUE}[\"']?[ \t]{{0,3}}(?:[:=]|(?:{_IS})\b)",),
        _find,
        every=True,
    ),
)
