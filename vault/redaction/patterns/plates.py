"""Plates that are known by their form: beside a word about vehicles, and the French, which stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.wares import is_a_model

_PLATE_FORMS = re.compile(
    r"(?<![\w-])(?<!\d[.,])(?:[A-Z]{2}-\d{3}-[A-Z]{2}|[A-Z]{2}-\d{2}-[A-Z]{2}|\d{2}-[A-Z]{2}-\d{2}|[A-Z]{1,3}-[A-Z]{1,2} ?\d{2,4}|[A-Z]{2}\d{2} [A-Z]{3}|\d{4}[ -]?[BCDFGHJKLMNPRSTVWXYZ]{3}|[A-Z]{2}[ -]\d{1,2}[ -][A-Z]{1,2}[ -]\d{4}|[A-Z]{2}\d{2}[A-Z]{2}\d{4}|[A-Z]{2,3} \d{3}[- ]\d{3}|\d{4,5}-[A-Z]-\d{1,2}|[A-Z]{3}\d[A-Z]\d{2}|[A-Z]{1,3} \d{2,5} ?[A-Z]{1,3}|[A-Z]{3} ?\d{3}[A-Z]?|[A-Z]{2}-\d{2}-\d{2}-[A-Z]{2}|\d[A-Z]{3} ?\d{3}|\d-[A-Z]{3}-\d{3}|[A-Z]{2} \d{4,6}|[A-Z]{1,4}[ -]\d{3,5}(?:[ -]\d{1,3}|[ -]?[A-Z]{1,2})?|[A-Z]\d{3} ?[A-Z]{3}|\d{3,5}[ -][A-Z]{1,3}(?:[ -]\d{1,2})?|\d{1,3}[ -]?[A-Z]{1,4}[ -]\d{2,5}|\d{1,2} [A-Z] \d{3,5}(?: [A-Z]{1,2})?|\d[A-Z]{2}[ -]\d[A-Z]{2}|\d-[A-Z]{2} [A-Z]\d{4,5}|\d{2}-[A-Z]\d \d{3}\.?\d{2}|[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]{4}[ -]\d{3})(?![\w-]|[.,:]\d)"
)
_VEHICLES = r"(?:cars?|autos?|coche|carro|voiture|wagen|moto|motorbikes?|motorcycles?|tricycles?|bike|van|truck|lorry|suv|taxi|cab|ute|scooter|furgoneta|lieferwagen|camion\w*|fahrzeug|vehicle|vehiculo|veiculo|parked|parking|driver|golf|clio|corsa|polo|swift|toyota|hilux|corolla|honda|civic|ford|fiesta|focus|bmw|audi|mercedes|vw|volkswagen|renault|peugeot|dacia|fiat|panda|skoda|fabia|seat|ibiza|opel|astra|nissan|mazda|kia|hyundai|volvo|tesla|suzuki|i10|i20|golf|yamaha|bajaj|chevrolet|jeep|lexus|subaru|mitsubishi|citroen|mini|porsche|tata|mahindra|maruti|land cruiser|tow(?:ed)?|clamped|toll|permit|garage|service|drives?|driving|drove|motor|convoy|hatchback|sedan|pickup|lorries|boda|fortuner|octavia|tacoma|prado|mehran|demio|rickshaw|registration|regn?|plates?|pcn|speeding|parking ticket|hit and run|bollard)"


def _find_plates(folded: Folded, ends: Ends) -> Iterator[Hit]:
    flies: bool | None = None  # asked once: the text may be long, and the hits many
    for match in around(_PLATE_FORMS, folded.text, ends, 40, 80):
        if _FLIGHT.match(match[0]):
            flies = _FLYING.search(folded.low) is not None if flies is None else flies
            if flies:
                continue
        if (
            not _NO_PLATE.match(match[0])
            and not folded.low.endswith("#", 0, match.start())
            and not _OTHER_CODE.search(folded.low, max(0, match.start() - 20), match.start())
            and not is_a_model(folded.low, *match.span())
        ):
            yield Hit("LICENSE_PLATE", *match.span(), 0.6)


_OTHER_CODE = re.compile(
    r"\b(?:order|ref|reference|case|docket|claim|flight|pcn|frame|serial|model|compound|part|ticket|booking|service|bag tag|invoice|policy|code)(?: (?:no|nr|number|is))?\W{1,3}$"
    r"|\b(?:fender|gibson|epiphone|ibanez|gretsch|taylor|martin|roland|korg|casio|moog|boss|marshall|canon|nikon|sony|fujifilm|olympus|panasonic|philips|samsung|lg|bosch|makita|dewalt|stihl|husqvarna|garmin|dell|lenovo|asus|acer|brother|epson|logitech|motorola|nokia|technics|pioneer|denon) $"
)
_FLIGHT = re.compile(r"[A-Z]{2} ?\d{2,4}$")
_FLYING = re.compile(r"\b(?:flights?|airport|seat|boarding|vuelo|flug|voo|lufthansa|pnr|layover|check-?in)\b")
_NO_PLATE = re.compile(
    r"(?:BP|PIN|BAY|BUS|LOT|ROW|GATE|PORT|SSN|PCN|HTTP|ISO|USD|EUR|GBP|NOK|CHF|RPM|BMW|VW|PS|KM|KW|HP|EURO?|MK|GT|CR|RAV|ID|NO|NR|SEK|INR|ETA|GMT|UTC|CET|TEL|PO|MAR|JAN|FEB|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|PM|AM|A|I|X|M|E|Q|ERR|REF|UA|LH|BA|AF|IB|RB|ICE|SW|SE|NW|NE)[ -]\d|\d+[ -](?:HP|PS|KM|KW|CC|NM|EUR|USD|GBP|AM|PM|KG|RPM|NOK|SEK|[VA])\b|\d{1,2}-[A-Z]{3}-(?:19|20)?\d\d|[A-Z]+[ -](?:19|20)\d\d$|\d{1,2} (?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)|(?:19|20)\d\d I$"
    r"|(?:[A-Z]?\d{1,3} )?(?:TDI|TSI|TFSI|FSI|GTI|GTD|HDI|CDI|CDTI|DCI|TCE|CRDI|GDI|MPI|JTDM?|TDCI|VTEC|DSG|DCT)\b"
)


def _find_bare_plates(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_FRENCH, folded.text, ends, 11, 2):
        if not _WARE.search(folded.low, max(0, match.start() - 40), match.start()):
            yield Hit("LICENSE_PLATE", *match.span(), 0.5)


_WARE = re.compile(
    r"\b(?:skus?|articles?|artikel|art|items?|parts?|models?|products?|ref(?:erence|erencia)?s?|catalog\w{0,2}|style|lot|batch|serial|modell?[eo]?"
    r"|bestell|piece|pieza|peca|articulo|artigo|codigo|producto|produto|produkt|produit)(?: ?(?:code|number|nummer|no|nr|num|id)\b)?\.?"
    r"(?: (?:is|was|ist|es|est|e))?\W{1,4}$"
)
_FRENCH = re.compile(r"(?<![\w-])[A-Z]{2}-\d{2,3}-[A-Z]{2}(?![\w-])")

RECOGNIZERS = (
    Recognizer("plates by form", (r"\b[a-z]{2}-\d{2,3}-[a-z]{2}\b",), _find_bare_plates, every=True),
    Recognizer("plates", (rf"\b(?:{_VEHICLES})\b",), _find_plates, every=True),
)
