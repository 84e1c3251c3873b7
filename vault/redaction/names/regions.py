"""Where a town ends and the state or country behind it begins: San Rafael CA, Brest France."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# fmt: off
_REGIONS: Final = frozenset(
    [
        "alabama", "alaska", "arizona", "arkansas", "california", "colorado", "connecticut", "delaware",
        "florida", "georgia", "hawaii", "idaho", "illinois", "indiana", "iowa", "kansas", "kentucky",
        "louisiana", "maine", "maryland", "massachusetts", "michigan", "minnesota", "mississippi", "missouri",
        "montana", "nebraska", "nevada", "new hampshire", "new jersey", "new mexico", "new york",
        "north carolina", "north dakota", "ohio", "oklahoma", "oregon", "pennsylvania", "rhode island",
        "south carolina", "south dakota", "tennessee", "texas", "utah", "vermont", "virginia", "washington",
        "west virginia", "wisconsin", "wyoming", "alberta", "manitoba", "nova scotia", "ontario", "quebec",
        "saskatchewan", "british columbia", "new brunswick", "england", "scotland", "wales",
        "northern ireland", "ireland", "uk", "usa", "uae", "france", "germany", "spain", "portugal", "italy",
        "austria", "switzerland", "belgium", "netherlands", "denmark", "norway", "sweden", "finland",
        "poland", "greece", "turkey", "hungary", "romania", "bulgaria", "croatia", "serbia", "ukraine",
        "russia", "egypt", "morocco", "tunisia", "algeria", "nigeria", "ghana", "kenya", "uganda",
        "tanzania", "ethiopia", "senegal", "zambia", "zimbabwe", "south africa", "israel", "lebanon",
        "jordan", "iraq", "iran", "pakistan", "india", "bangladesh", "nepal", "sri lanka", "china", "japan",
        "korea", "south korea", "taiwan", "thailand", "vietnam", "malaysia", "indonesia", "philippines",
        "australia", "new zealand", "queensland", "new south wales", "tasmania", "mexico", "brazil",
        "argentina", "chile", "peru", "colombia", "ecuador", "bolivia", "cuba", "jamaica",
    ]
)
_CODES: Final = frozenset(
    [
        "al", "ak", "az", "ar", "ca", "co", "ct", "fl", "ga", "hi", "ia", "id", "il", "in", "ks", "ky",
        "la", "ma", "md", "me", "mi", "mn", "mo", "ms", "mt", "nc", "nd", "ne", "nh", "nj", "nm", "nv",
        "ny", "oh", "ok", "or", "pa", "ri", "sc", "sd", "tn", "tx", "ut", "va", "vt", "wa", "wi", "wv", "wy",
        "bc", "on", "qc", "nsw", "qld",
    ]
)
"""Of states and provinces; a word where it is written small."""

_PARTS: Final = frozenset(
    [
        "new", "north", "south", "east", "west", "northern", "southern", "eastern", "western", "central",
        "upper", "lower", "upstate", "downtown", "mainland", "rural", "greater", "little", "old", "inner",
        "lake", "mount", "mt", "fort", "port", "cape", "bad", "san", "santa", "el", "la", "al", "of", "de",
        "the", "in", "and", "us", "great", "southwest", "southeast", "northwest", "northeast", "mid",
    ]
)
"""Words that a region's name goes on behind: they name no town."""
# fmt: on

_TWO: Final = 2  # words of a region's name at most, but for one


def behind_town(words: Sequence[str], first: int, last: int) -> int | None:
    """Say at which token of a place's name the region behind the town begins; None where there is none."""
    named = [word.strip(" ") for word in words[first : last + 1]]
    if len(named) == 1 or not all(word.replace("'", "").isalpha() for word in named):
        return None
    small = [word.lower() for word in named]
    for size in range(min(_TWO + 1, len(named) - 1), 0, -1):
        if " ".join(small[-size:]) in _REGIONS:
            return None if small[-size - 1] in _PARTS else last - size + 1
    is_code = small[-1] in _CODES and not named[-1].islower() and small[-2] not in _PARTS
    return last if is_code else None
