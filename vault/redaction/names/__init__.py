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
    from vault.redaction.names.worth import may_be_a_name as may_be_a_name
    from vault.redaction.names.worth import worth_remembering as worth_remembering

__all__ = [
    "Mode",
    "Names",
    "is_famous",
    "is_full_name",
    "is_listed",
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
    elif name in {"is_famous", "is_full_name", "is_listed", "may_be_a_name", "worth_remembering"}:
        from vault.redaction.names import worth as home  # type: ignore[no-redef]
    else:
        raise AttributeError(name)
    found: object = getattr(home, name)
    return found
