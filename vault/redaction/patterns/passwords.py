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
_IS = "is|was|to|ist|lautet|es|est|e|c'est"
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
_FAILS = re.compile(
    rf"(?<![a-z]){_CUE}(?:\?|[^\n.?!;:]{{0,44}}?\b(?:not|(?:is|does|do|did|wo)n'?t|stopped|wrong|incorrect|invalid|rejected|forgot\w{{0,4}})\b[^\n.?!;:]{{0,24}}?|(?: vergessen)?(?=,? (?:i|creo|je|ich|acho) ))"
    r"[ ,.]{0,2}(?:(?:but|and|though|because|cause|cos) )?(?:(?:i (?:think|thought)|pretty sure|i'?m sure) )?(?:it'?s|it is|it was|i (?:typed|put in|put|entered|wrote)|creo que(?: es| era)|je crois que (?:c'est|c'etait)|ich glaube,? es (?:ist|war)|acho que(?: e| era))"
    r" (?:definitely |always |just |still |literally )?[\"'`]?(?P<value>[a-z]{4,24})[\"'`]?"
    r"(?=[.!)]{0,2}[ \t]*(?:$|[\n,;])| (?:and|but|like|as|so|thanks|please|pls|lol|btw|all lower)\b)"
)
"""It does not work, and then it is said: my password isn't working, it's ..."""

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
_GRUMBLED = (
    "after android awful because bien bizarre bonkers capitals celui chiant chrome comme crap crazy dans"
    " dead digits early encore everyone everywhere facebook fini firefox friday frozen gmail google grey"
    " greyed hell hotmail icloud iphone just juste kinda laptop late letters lies like literally madness"
    " meme mental microsoft midnight mine monday mort nonsense numbers nuts ours outlook outlooks over"
    " pour quite quoi rubbish safari samsung saturday school shit slow someone strange sunday super"
    " symbols theirs thursday toujours tout trop tuesday very wednesday weird windows words yahoo"
)
_GRUMBLES = frozenset(_GRUMBLED.split())
"""What is said of it all, or whose it is, rather than what the password is."""

_OF_A_KIND = re.compile(r".{2,}(?:ous|ful|ish|ive|ical)$")
_STATED = re.compile(r".{2,}(?:ed|ing|able|ible|less|ly|ado|ada|ido|ida|iert|lich|bar)$")
_NOUNS = (
    "ahmed alfred armada avocado butterfly cable canada colorado constable crowbar darling dragonfly"
    " duckling dumpling earring eldorado emily evening family firefly florida gosling granada herring"
    " holly italy jelly kelly lightning mayfly molly morning nevada polly pudding sally sapling seaweed"
    " seedling sibling spring starling sterling table tornado vegetable viking wedding wilfred zanzibar"
)
_THINGS = frozenset(_NOUNS.split())
"""What ends like that and is a thing, a place or a name."""


def says_how(value: str) -> bool:
    """Say whether a word, in lower case, tells how something is rather than what it is."""
    return value in _STATES or _is_stated(value)


def _is_stated(value: str) -> bool:
    return _STATED.match(value) is not None and value not in _THINGS


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in around(_PLAIN, low, ends, 40, 64):
        value, how = match["value"], match["how"]
        if value in _STATES or is_technical(value):
            continue
        if how == "c'est" and (says_how(value) or _is_grumbled(value)):
            continue
        if how[0].isalpha() and how != "c'est":
            before = low[max(0, match.start() - 48) : match.start()]
            if _is_stated(value) or _ASKED.search(before) or not _OWNED.search(before):
                continue
        yield Hit("SECRET", match.start("value"), match.end("value"), 0.7)


def _is_grumbled(value: str) -> bool:
    return value in _GRUMBLES or _OF_A_KIND.match(value) is not None


def _find_failing(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_FAILS, folded.low, ends, 24, 150):
        value = match["value"]
        if not (says_how(value) or is_technical(value) or _is_grumbled(value)):
            yield Hit("SECRET", *match.span("value"), 0.7)


RECOGNIZERS = (
    Recognizer("passwords that fail", (rf"{_CUE}[ ?,]",), _find_failing, every=True),
    Recognizer(
        "plain passwords",
        (rf"{_CUE}[\"']?[ \t]{{0,3}}(?:[:=]|(?:{_IS})\b)",),
        _find,
        every=True,
    ),
)
