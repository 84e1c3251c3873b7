"""Retention: what is kept how long, and why. Pure values and functions; now is always a parameter."""

from __future__ import annotations

from pathlib import Path

from vault.config import SHIPPED as SHIPPED
from vault.errors import UsageError


def shipped(name: str) -> Path:
    """Give the file of a policy that comes with the vault: default, gdpr, hipaa, pci or short-lived."""
    if name not in SHIPPED:
        raise UsageError("no policy of this name comes with the vault", hint=f"one of {', '.join(SHIPPED)}")
    package = Path(__file__).parents[1]
    # In a wheel they lie in the package; in a checkout beside it, ready to copy.
    beside = [package / "policies", package.parent / "policies"]
    return next((place for place in beside if place.is_dir()), beside[0]) / f"{name}.yaml"


def policy_file(named: Path) -> Path:
    """Give the file that is named, or the policy that comes with the vault and is called by its name."""
    return shipped(named.name) if str(named) in SHIPPED and not named.exists() else named
