"""Where somebody was born or lives, as a form asks it: "Place of birth: Bamenda", "Wohnort Kleinmachnow, ledig".

Such words announce a place and nothing else, so that it need be on no list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.findings import Ground
from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.worldly import OWN

_LABEL: Final = (
    r"(?:(?:place|town|city|village)[ _-]?of[ _-]?(?:birth|residence)|birth ?place|home ?town|pob"
    r"|geburtsort|wohnort|heimatort|lieu de (?:naissance|residence)|ville de (?:naissance|residence)|commune de naissance"
    r"|(?:lugar|ciudad|localidad|municipio) de (?:nacimiento|residencia)|ciudad natal"
    r"|(?:local|cidade) de (?:nascimento|residencia)|cidade natal|naturalidade|luogo di (?:nascita|residenza)|geboorteplaats|woonplaats"
    r"|miejsce (?:urodzenia|zamieszkania)|dogum yeri|fodested|fodelseort|hemort|bostedskommune|misto narozeni|szuletesi hely|locul nasterii|mjesto rodenja)"
)
_CAPITAL: Final = r"[^\W\d_a-z][^\W\d_]+(?:['\u2019-][^\W\d_]+){0,3}"
_JOINT: Final = (
    r"(?:de|do|da|dos|das|del|la|las|los|el|le|les|sur|am|an der|ob der|im|in der|bei|upon|on|of|y|e) "
)
_PLACE: Final = re.compile(
    rf"(?:(?:St|Ste|San|Sankt|Bad|Santa)\.? )?{_CAPITAL}(?: (?:{_JOINT})?{_CAPITAL}){{0,3}}"
)
_SMALL: Final = re.compile(r"[^\W\d_]{3,24}(?:[ -][^\W\d_]{2,24}){0,2}")
_SAID: Final = re.compile(
    rf"(?<![\w-]){_LABEL}(?:\)?[\"']?(?P<sign> ?[:=] ?[\"']?)| (?:is |was |ist |war |es |est |e |era |in |- )?)"
)
_CLOSES: Final = re.compile(
    r"[\"')]{0,2}(?:\s*(?:[,;|)\n/]|$)|\.(?:\s|$)| (?:and|und|y|et|e|but|aber|pero|mais|mas)\b| ?\()"
)
# fmt: off
_FORM: Final = (
    "adresse address altersgruppe angabe anschrift any apellidos beruf birth born cep city ciudad code cognome"
    " country cp data date datum desconocida desconocido desconhecida domicilio email entfernt erforderlich false"
    " familienstand fecha fehlt field geburtsdatum geburtsname geschlecht gleich hier identico inconnu inconnue input"
    " keine land leer mandatory missing n/a nacionalidad name nacionalidade nationality nationalitat nationalite nein"
    " no nom nombre none not null obbligatorio obligatoire obligatorio ohne optional ort oui pais pays pflicht"
    " pflichtfeld phone plz postleitzahl profession profissao required residence same sconosciuto sexe sexo state"
    " stadt strasse street string str tba tbd telefon telefono text todo town true unbekannt undefined unknown"
    " unchanged unverandert value varchar verpflichtend village yes zip"
)
# fmt: on
_ASKED: Final = frozenset(_FORM.split())
"""What a form says of a place, or asks next, and no place."""


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, text = folded.low, folded.text
    ground = Ground.PATTERN if OWN.search(text) else Ground.MODEL  # of the famous, all the world knows it
    for match in around(_SAID, low, ends, 40, 16):
        start = match.end()
        place = _PLACE.match(text, start) or (_SMALL.match(text, start) if match["sign"] else None)
        if place is None or not _CLOSES.match(text, place.end()):
            continue
        if _ASKED.isdisjoint(re.split(r"[ -]", low[start : place.end()])):
            yield Hit("LOCATION", start, place.end(), 0.7, ground)


RECOGNIZERS = (Recognizer("places of birth and residence", (rf"\b{_LABEL}\b",), _find, every=True),)
