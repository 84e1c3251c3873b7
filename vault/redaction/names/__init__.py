"""Names and other personal data, by a small model that comes with the package.

Names().find("my sister anjali lives in pune")   # -> a PERSON, a LOCATION
Names().find("my plate is KX21 FGH")   # -> a LICENSE_PLATE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault.redaction.names.model import Mode as Mode
    from vault.redaction.names.model import Names as Names
    from vault.redaction.names.presidio import presidio_recognizer as presidio_recognizer
    from vault.redaction.names.worth import is_famous as is_famous
    from vault.redaction.names.worth import is_full_name as is_full_name
    from vault.redaction.names.worth import is_listed as is_listed
    from vault.redaction.names.worth import is_region as is_region
    from vault.redaction.names.worth import is_town as is_town
    from vault.redaction.names.worth import is_unheard as is_unheard
    from vault.redaction.names.worth import may_be_a_name as may_be_a_name
    from vault.redaction.names.worth import worth_remembering as worth_remembering

__all__ = [
    "Mode",
    "Names",
    "is_famous",
    "is_full_name",
    "is_listed",
    "is_region",
    "is_town",
    "is_unheard",
    "may_be_a_name",
    "presidio_recognizer",
    "worth_remembering",
]


def __getattr__(name: str) -> object:
    """Import what is asked for only then: numpy, and more so Presidio, take their time."""
    if name in {"Mode", "Names"}:
        from vault.redaction.names import model as home
    elif name == "presidio_recognizer":
        from vault.redaction.names import presidio as home  # type: ignore[no-redef]
    elif name in __all__:
        from vault.redaction.names import worth as home  # type: ignore[no-redef]
    else:
        raise AttributeError(name)
    found: object = getattr(home, name)
    return found
