"""Streets of German, Dutch and the Nordic languages: the number stands behind, and the street is one word or a phrase.

A phrase such as "Am Anger 5" has the form of "Im Kapitel 5", and "Platz 3" is a rank more often than a house.
"""

from __future__ import annotations

import re

from vault.redaction.folding import Folded

GERMANIC = re.compile(
    r"(?<![\w.-])(?:(?:[A-Z][\w.-]{1,24}[ -]){0,3}?(?:[A-Z][\w.-]{0,30}(?:stra[s]{1,2}e|strasse|str\.|str|weg|gasse|gasslein|gassl|platz|allee|ring|damm|ufer|steig|stieg|pfad|chaussee|markt|graben|zeile|promenade|anger|rain|bogen|wall|kamp|koppel|straat|straatweg|laan|plein|gracht|kade|dreef|singel|hof|dijk|gata|gatan|gate|gade|vej|vagen|veien|veg|katu|tie|kuja|gotu|stigur|gatu|allen|torget|plads)"
    r"|[Ss]trasse \d{1,3}|[Ss]tra[s]{1,2}e [a-z]{2,3} [\w]{2,20}|Meile|Str\.|Str|[sS]tr\.|Landstra[s]{1,2}e|Weg|Stra[s]{1,2}e|Allee|Platz|Haven)|(?:Am|An der|An den|Auf der|Auf dem|Im|In der|In den|Zum|Zur|Unter den|Hinter der|Vor dem|Bei der|Lange|Alte|Neue|Kleine|Grosse) (?:[A-Z][\w-]{2,24}[ ]?){1,3}?)"
    r",? ?\d{1,4} ?(?:[a-hA-H](?![\w]))?(?: ?[-/] ?\d{1,4}[a-z]?){0,2}(?: (?:bis|ter|hs|huis))?(?![\w%]|[.,:]\d)"
)
_PHRASE = re.compile(
    r"(?:Am|An|Auf|Im|In|Zum|Zur|Unter|Hinter|Vor|Bei|Lange|Alte|Neue|Kleine|Grosse) (?:de[rnm] )?"
    r"(?P<name>(?:[A-Z][\w-]*[ ]?)+?),? ?(?P<number>\d{1,4})"
)
_DATED = re.compile(
    r"(?:19|20)\d\d$|\b(?:Januar|Februar|Marz|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
)
_COUNTED = re.compile(
    r"(?:Abbildung|Abend|Abschnitt|Absatz|Absatze|Abteilung|Akt|Aktion|Alter|Anfang|Anhang|Anlage|Artikel|Aufgabe|Auto|Band|Bank|Bahn|Beispiel|Bereich"
    r"|Bericht|Betrieb|Bezirk|Bild|Blatt|Buch|Bus|Dienstag|Donnerstag|Durchgang|Durchschnitt|Ebene|Einheit|Ende|Episode|Etage|Fach|Fall|Feld|Fernseher"
    r"|Figur|Film|Flug|Folge|Form|Frage|Fragen|Freitag|Gate|Gegensatz|Generation|Gleis|Grad|Grafik|Gramm|Grenze|Gruppe|Halbzeit|Halle|Heft|Jahr|Jahre"
    r"|Jahrgang|Kabine|Kapitel|Kategorie|Klasse|Kurs|Lektion|Level|Liga|Linie|Liste|Meter|Minute|Minuten|Mittel|Mittwoch|Modul|Monat|Monate|Montag|Nacht"
    r"|Nachmittag|Nummer|Ordner|Paragraf|Paragraph|Periode|Phase|Platz|Preis|Position|Problem|Programm|Projekt|Prozess|Punkt|Quartal|Rahmen|Rang|Raum"
    r"|Regal|Reihe|Runde|Saison|Samstag|Satz|Schicht|Schnitt|Schritt|Schuljahr|Seite|Sektor|Semester|Serie|Sitz|Sommer|Sonntag|Spalte|Spiel|Stadion"
    r"|Staffel|Stand|Station|Stock|Stockwerk|Strecke|Stuck|Stufe|Stunde|Stunden|Summe|Tabelle|Tag|Tage|Tagen|Teil|Teile|Terminal|Text|Thema|Tisch|Ubung"
    r"|Uhr|Variante|Vergleich|Verhaltnis|Version|Versuch|Video|Viertel|Wagen|Waggon|Wert|Wettbewerb|Winter|Woche|Wochen|Zeile|Zeit|Zimmer|Zone|Zug|Zustand)$"
)
"""What a number behind it counts, or is the number of."""

_BARE = re.compile(r"(?:(?P<name>.*?)[ -]?)?(?P<kind>Platz|Weg|Allee|Haven|Meile),? ?\d", re.DOTALL)
_NO_NAME = re.compile(
    r"(?:Auf|Auch|Um|Den|Dem|Der|Vom|Von|Im|Am|Vor|Mit|Fur|Ab|Bis|Nach|Und|Oder|Nur|Noch|Wer|Dann|Jetzt|Sein\w*|Ihr\w*|Mein\w*|Erster|Letzter)?$"
)
_RANKED = re.compile(
    r"\b(?:auf|den|um|beleg\w+|landet\w*|erreich\w*|errang|holt\w*|sichert\w*|wagen \d{1,3},?|reihe \d{1,3},?|waggon \d{1,3},?|sitz\w*|kam|bekam|gewann) platz \d"
    r"|(?:^|[\n|,;(-] ?)platz \d{1,3}(?: ?[:|)=-]|\.? [a-z])"
)
"""It says what place somebody took, or which seat."""

_LIVED = re.compile(
    r"wohn|adress|anschrift|hausn|ziehe?n?\b|zieht|zog|umzug|\bplz\b|liefer|schick|send|zustell|postleit|einzieh|parke|treff"
)
"""Somebody lives there, or something is sent there."""

_TOWN = re.compile(r",?(?:\n| )(?:d-|a-|ch-)?\d{4,5} [a-z]")
_GOES_ON = re.compile(r" [A-Za-z]")
_FAR, _NEAR = 120, 60
_IN_YEAR = re.compile(r"(?:ring|markt|hof) (?:19|20)\d\d$")


_OLD_STREET = "Lange Reihe"


def _is_counted(phrase: str, name: str) -> bool:
    return _COUNTED.search(name.rstrip(" ,")) is not None and not phrase.startswith(_OLD_STREET)


def is_germanic(folded: Folded, match: re.Match[str]) -> bool:
    """Say whether what has a street's form is one, and no rank, seat, chapter or year."""
    low, (start, end) = folded.low, match.span()
    if _IN_YEAR.search(match[0]):
        return False
    if _TOWN.match(low, end):
        return True
    before = low[max(0, start - _NEAR) : start]
    if bare := _BARE.match(match[0]):
        around = low[max(0, start - _FAR) : end + _FAR]
        if _NO_NAME.match(bare["name"] or "") or (bare["kind"] == "Platz" and _RANKED.search(around)):
            return _LIVED.search(before) is not None
    if phrase := _PHRASE.match(match[0]):
        if _DATED.search(match[0]) or _is_counted(match[0], phrase["name"]):
            return False
        return not _GOES_ON.match(low, end) or _LIVED.search(before) is not None
    return True
