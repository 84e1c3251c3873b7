"""Adapters: the memory interfaces of frameworks, in front of a transcript. One file for each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from vault.errors import MissingExtraError


def framework(module: str, extra: str) -> Any:  # noqa: ANN401 (a module has no narrower type)
    """Give a module of a framework; where it is not installed, say how to get it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the framework is here, and misses something else
    raise MissingExtraError(module, extra)
