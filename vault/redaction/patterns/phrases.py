"""Passwords of several words: within quotes, of four groups, spelt out aloud, and the words that open a wallet.

What stands there may also say what a password must be, or ask for one: such words are listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.forms import Form, recognizer
from vault.redaction.patterns.passwords import says_how

_CUE: Final = (
    r"(?:pass(?:words?|wd|phrase|code|wort)|pwd|pw|psk|kennwort|contrasena|senha|mdp|mot[_ ]de[_ ]passe|palavra-passe"
    r"|wachtwoord|losenord|haslo|parola)"
)
_SHORT: Final = r"(?<=[_.-])pass"  # alone it is one for a train
_QUOTED: Final = re.compile(
    rf"(?:(?<![a-z]){_CUE}|{_SHORT}|\bidentified by)"
    r"(?:[\"']?[ \t]{0,3}(?:::=|=>|:=|[:=]|(?:(?:is|was|set to|changed to|ist|war|lautet|es|era|est|etait|e)\b:?))[ \t]{0,3}|[ \t]{1,3})"
    r"(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote))[^\n\\]|\\[^\n]){4,128})(?P=quote)(?!\w)"
)
_INSTEAD: Final = re.compile(r"[$#%]\{|\{\{|\$\(|%[s(]|\{\d?\}|<[a-z/]")  # of a template
# fmt: off
_OPENS: Final = (
    "must should shall will would can can't cannot could may is was are be been has have had not no non none"
    " never see same enter type your choose pick use create set please provide input insert confirm repeat"
    " re-enter retype new old current forgot forgotten reset change changed show hide wrong incorrect invalid"
    " expired missing required minimum min max maximum at too does doesn't do don't did didn't updated sent stored"
    " hashed encrypted empty strong weak to for as ask asked given left unknown only"
    " debe debes no introduce introduzca ingrese ingresa elige nueva nuevo repetir repite confirmar confirma"
    " olvidaste cambiar incorrecta minimo al requerida obligatoria"
    " muss darf soll sollte bitte geben neues altes mindestens wahlen wahle ihr dein falsch ungultig nicht wird wurde"
    " doit doivent veuillez entrez saisissez saisir choisissez nouveau votre ton au incorrect invalide oublie"
    " deve digite insira informe nova sua confirme confirmar repita esqueceu invalida minimo precisa"
)
# fmt: on
_OPENING: Final = frozenset(_OPENS.split())
_ABOUT: Final = re.compile(
    r"pass ?(?:word|phrase|code)|passwort|kennwort|contrasena|senha|mot de passe|\b(?:characters?|chars|zeichen|caract\w{3,5}|symbols?|digits?|numbers|upper-?case"
    r"|lower-?case|fields?|required|reset|forgot\w*|log ?in|sign ?in|e-?mail|error|length|letters|optional|vault|keychain)\b"
)
_IN_SENTENCES: Final = (
    "the and is it are was but or so if i you we he she they my your please thanks thank can could that this of to in"
    " on at for with how what el la y de es und der die das ist le les et une um o a e por bitte"
)
_SENTENCE: Final = frozenset(_IN_SENTENCES.split())
_WORDS: Final = re.compile(r"[^\W_][\w'-]*(?: [^\W_][\w'-]*){1,7}")
_FEWEST, _MOST = 4, 128


def is_phrase(value: str, *, whole: bool = True) -> bool:
    """Say whether some words, in lower case, are a password and not about one.

    Where nothing says that they are a `whole`, the words of a sentence among them tell that they are none.
    """
    words = value.split()
    if len(words) < 2 or not _FEWEST <= len(value) <= _MOST or words[0].strip(".,:;!¡¿\"'") in _OPENING:
        return False
    if _ABOUT.search(value) or _INSTEAD.search(value) or value.endswith(("?", ":", "...", "…")):
        return False
    return whole or (_WORDS.fullmatch(value) is not None and _SENTENCE.isdisjoint(words))


def _find_quoted(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_QUOTED, folded.low, ends, 30, 160):
        if is_phrase(match["value"]):
            yield Hit("SECRET", *match.span("value"), 0.9)


_APP: Final = re.compile(
    r"(?:\bapp[ -]?(?:specific )?pass(?:word|wort|code)?|anwendungspasswort|contrasena de (?:la )?aplicacion|mot de passe d'application|senha de app(?:licativo)?)\b"
    r"[^\n]{0,30}?(?<![a-z])([a-z]{4}([ -])[a-z]{4}\2[a-z]{4}\2[a-z]{4})(?![a-z-])"
)
_SIGN: Final = (
    r"exclamation (?:mark|point)|question mark|hash ?tag|hash sign|at sign|dollar sign|percent sign|plus sign|under ?score|ampersand|asterisk"
    r"|signo de (?:exclamacion|admiracion|interrogacion)|arroba|guion bajo|almohadilla"
    r"|ausrufezeichen|fragezeichen|raute|unterstrich|klammeraffe"
    r"|point d'(?:exclamation|interrogation)|arobase|diese|tiret bas"
    r"|ponto de (?:exclamacao|interrogacao)|cerquilha|jogo da velha|sublinhado"
)
_ALL: Final = (  # how it is written, and no part of it
    r"no spaces?|all one word|all lower ?case|all caps|sin espacios|todo (?:junto|en minusculas?)|ohne leerzeichen"
    r"|zusammengeschrieben|alles klein|sans espaces?|tout attache|sem espacos?|tudo (?:junto|minusculo)"
)
_CASE: Final = (
    r"(?:capital|upper ?case|big|lower ?case|small|grosses?|kleines?|mayuscula|minuscula|majuscule|minuscule|maiuscul[ao]|minuscul[ao])"
    r"(?: letter)? [a-z]\b|\b[a-z] (?:mayuscula|minuscula|majuscule|minuscule|maiuscul[ao]|minuscul[ao])"
)
_SPELT: Final = re.compile(
    rf"(?<![a-z]){_CUE}\b[^\n.;!?]{{0,40}}?\b(?:is|was|ist|lautet|es|est|e|now|:)[: ]{{1,2}}(?P<value>[^\n.;!?,]{{3,60}}?(?=,? (?:and )?(?:{_ALL})\b(?![^\n.;!?]{{0,99}}(?:{_SIGN}|{_CASE})))|[^\n.;!?]{{0,120}}\b(?:{_SIGN}|{_CASE})\b(?:[ ,]{{1,2}}(?:{_SIGN}|{_CASE}|and|then|dann|luego|puis|depois|y|und|et|e|[a-z]{{1,12}}(?=[ ,]{{1,2}}(?:{_SIGN}|{_CASE}))|\d{{1,6}}|(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|eins|zwei|drei|vier|funf|sechs|sieben|acht|neun|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|deux|trois|quatre|cinq|sept|huit|neuf|um|dois|quatro|sete|oito|nove)\b)){{0,16}})"
)
_WANTED: Final = re.compile(
    rf"\b(?:an?|one|the|any|least|contains?|needs?|must|requires?|should|missing|without|with|eine?n?|una?|une|uma?|kein\w*|mit|con|avec|com) (?:{_SIGN}|{_ALL}|{_CASE})"
)


def _is_spelt(value: str, _before: str) -> bool:
    low = value.lower()
    return not _WANTED.search(low) and is_phrase(low)


_SEED_WORD: Final = r"(?!(?:the|and|but|for|with|was|are|has|have|his|her|its|not|says|goes|that|this|from|which|then)\b)[a-z]{3,8}"
_SEED: Final = re.compile(
    rf"\b(?:seed|mnemonic|(?:recovery|secret|backup) (?:phrase|words)|frase semilla|frase de recuperacion|wiederherstellungsphrase|phrase de recuperation)\b[^\n]{{0,60}}?\b({_SEED_WORD}(?:[ ,]{{1,2}}{_SEED_WORD}){{11,23}})\b"
)

_ASKED: Final = (  # what is asked of who forgot a password
    r"(?:pets?|maiden name|(?:first|primary|elementary|high) school|teacher|street|first car|(?:city|town) (?:of birth|where|you)|nickname|childhood|favou?rite [a-z]{3,10}"
    r"|haustier|madchenname\w?|lieblings[a-z]{3,10}|grundschule|mascota|apellido|escuela|profesora?|animal|nom de jeune fille|ecole|mascote|sobrenome|escola|estimacao)"
)
_QUESTIONED: Final = re.compile(
    r"\b(?:security|secret) (?:questions?|q|answers?)\b|\bsicherheitsfragen?\b|\bpreguntas? (?:de seguridad|secretas?)\b"
    r"|\bquestions? (?:secretes?|de securite)\b|\bperguntas? (?:secretas?|de seguranca)\b"
)
_ANSWERED: Final = re.compile(
    rf"\b{_ASKED}\b(?:[^\n:=]{{0,40}}\n?[ ,.;-]{{0,3}}\b(?:answers?|a|antwort|respuesta|reponse|resposta)\s?[:=]|'?s?(?: name)?(?: (?:is|was|ist|war|es|era|est|etait|e)\b|\s?[:=])?)"
    r"\s{1,2}[\"'`]?(?P<value>[a-z][\w'-]{2,20}(?: [\w'-]{2,20}){0,2}?)[\"'`]?(?=\s*(?:[.,;!)\n]|$)| (?:and|und|y|et|e)\b)"
)


def _is_answer(value: str, _before: str) -> bool:
    first = value.lower().partition(" ")[0]
    return (
        first not in _OPENING
        and first not in _SENTENCE
        and not says_how(first)
        and not _ABOUT.search(value.lower())
    )


RECOGNIZERS = (
    Recognizer(
        "quoted passwords",
        (rf"(?:{_CUE}|[_.-]pass|\bidentified by)[\"']?[^\"'`\n]{{0,18}}[\"'`]",),
        _find_quoted,
        code=True,
        every=True,
    ),
    recognizer("SECRET", Form("app passwords", r"app[ -]?(?:specific )?pass|anwendungspasswort|aplicacion|d'application|senha de app", _APP, 40, 70), 0.9),
    recognizer("SECRET", Form("spelt passwords", rf"\b(?:{_SIGN}|{_ALL}|{_CASE})", _SPELT, 190, 120, fits=_is_spelt), 0.8),
    recognizer("SECRET", Form("answers to security questions", rf"\b{_ASKED}\b", _ANSWERED, 24, 100, where=_QUESTIONED, fits=_is_answer), 0.75),
    recognizer("SECRET", Form("seeds", r"\b(?:seed|mnemonic|(?:recovery|secret|backup) (?:phrase|words)|semilla|frase de recuperacion|wiederherstellungsphrase|phrase de recuperation)\b", _SEED, 30, 300), 0.85),
)  # fmt: skip
