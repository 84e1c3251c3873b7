"""Dwellings by their number alone, where the words around speak of neighbours and keys."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer

_HOUSE = re.compile(
    r"\b(?<!\bpeaked )(?<!\branked )(?<!\bseeded )(?<!\bdebuted )(?<!\bcharted )(?:at|in|from|to|opposite) ((?:no\.?|nr\.?|number) ?\d{1,4}[a-z]?)(?![\w%]|[.,:/-]\d| (?:in|on|of) (?:the|my|our|line|a)\b)"
)
_HOME = re.compile(
    r"\b(?:keys?|neighbou?rs?|next door|lives?|flat|doorbell|bins?|parcels?|packages?|landlord|landlady|tenants?|hedge|fence|driveway|babysit\w*)\b"
)
_CHART = re.compile(r"\b(?:charts?|songs?|seeded|ranking|single|album|playlist|league)\b")
_UNIT = re.compile(
    r"\b((?:unit|apartment|condo|townhouse) \d{1,4}[a-z]?)(?![\w%]|[.,:/-]\d| (?:of|tests?|exams?|quiz|lessons?|vocab|review|plan|price|cost|sold|wide|deep|high|tall|cm|mm|in the (?:book|text))\b)"
)
_SHARED = re.compile(
    r"\b(?:body corporate|strata|hoa|landlord|landlady|tenants?|neighbou?rs?|lease|building manager|concierge|intercom|buzzer|upstairs|downstairs|subwoofer|parcel|rent|leak)\b"
)


_FLOOR = re.compile(
    r"(?<![\w.,])(\d{1,2}\.?[ºª°o] ?(?:[a-f]\b|izq\w{0,6}|izda|dcha|derecha|esq\w{0,6}|dto|direito|frente)"
    r"|\d{1,2} ?(?:er|e|eme) etage(?: (?:gauche|droite|face))?|\d{1,2}\. (?:stock|og)(?: (?:links|rechts|mitte))?)(?!\w)"
)
_STAIRS = re.compile(
    r"\b(?:vecin[oa]s?|puerta|piso|portal|llave|viv[oe]|timbre|ascensor|voisine?s?|cle|colis|sonnette|habit\w{1,3}|logement"
    r"|porteiro|sindic[oa]|vizinh[oa]s?|apartamento|andar|nachbar\w{0,3}|klingel\w{0,2}|wohn\w{1,4}|schlussel|paket\w?|treppenhaus)\b"
)
_DEVICE = re.compile(
    r"\b(?:kitchen|ac|a/c|air con\w*|hvac|heating|cooling|wall|base|tv|storage|shelf|shelving|sink|power|control|business|outdoor|indoor|central|processing|intensive care|per) $"
)


def _is_no_device(_value: str, before: str) -> bool:
    return not _DEVICE.search(before)


def _is_no_rank(_value: str, before: str) -> bool:
    return not _CHART.search(before)


_FORMS = (
    Form("houses by number", r"\b(?:no\.?|nr\.?|number) ?\d{1,4}", _HOUSE, 22, 14, where=_HOME, fits=_is_no_rank),
    Form("units by number", r"\b(?:unit|apartment|condo|townhouse) \d{1,4}", _UNIT, 16, 22, where=_SHARED, fits=_is_no_device),
    Form("floors", r"\d\.?[ºª°o] ?[a-z]|\d ?(?:er|e|eme) etage|\d\. (?:stock|og)", _FLOOR, 16, 24, where=_STAIRS),
)  # fmt: skip
RECOGNIZERS = tuple(recognizer("ADDRESS", form) for form in _FORMS)
