"""Patterns without the model, and what they find in a text.

A test module takes the fixture by its name: `patterns = pattern_finding.patterns`.
"""

from __future__ import annotations

import pytest

from vault.redaction.finder import Patterns
from vault.redaction.overlaps import resolve


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Patterns:
    """By the gate without Hyperscan: it finds the same, and nothing has to be compiled."""
    found = Patterns(cache=tmp_path_factory.mktemp("cache"), build="never")
    found.warm_up()
    return found


def found(patterns: Patterns, text: str, *, code: bool = False) -> list[str]:
    """What is found, each as it stands in the text."""
    return [text[one.start : one.end] for one in resolve(patterns.find(text, code=code), text)]
