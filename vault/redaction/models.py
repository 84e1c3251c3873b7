"""Models that a user brings: by name, as they are installed. Nothing is ever downloaded."""

from __future__ import annotations

import importlib.util
import threading
from importlib import metadata
from pathlib import Path
from typing import Final

from vault.errors import ConfigError, MissingExtraError
from vault.forks import renew_locks
from vault.redaction.findings import Finding, Ground, Recognizer

_ENTITIES: Final = {
    "PER": "PERSON",
    "PERSON": "PERSON",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
    "ORGANIZATION": "ORGANIZATION",
}
_SCORE: Final = 0.85  # these models say no probability
_CHUNK: Final = 100_000


class SpacyModel:
    """A spaCy pipeline that is installed, such as de_core_news_md."""

    def __init__(self, name: str) -> None:
        try:
            import spacy
        except ImportError:
            raise MissingExtraError("spacy", "spacy") from None
        try:
            self._read = spacy.load(name, exclude=["lemmatizer", "tagger", "parser", "morphologizer"])
        except OSError:
            raise _not_installed() from None
        self._name = f"spacy:{name}"
        self._lock = threading.Lock()
        renew_locks(self, "_lock")

    def find(self, text: str) -> list[Finding]:
        """Find what the model takes for a person, a place or an organisation."""
        found = []
        for start in range(0, len(text), _CHUNK):
            with self._lock:
                read = self._read(text[start : start + _CHUNK])
            found += [
                Finding(
                    _ENTITIES[one.label_],
                    start + one.start_char,
                    start + one.end_char,
                    _SCORE,
                    self._name,
                    Ground.MODEL,
                )
                for one in read.ents
                if one.label_ in _ENTITIES
            ]
        return found


def load(name: str) -> Recognizer:
    """Load a model by `spacy:NAME`."""
    return SpacyModel(package_of(name))


def package_of(name: str) -> str:
    """Give what is to be installed for a model."""
    kind, _, model = name.partition(":")
    if kind != "spacy" or not model:
        raise ConfigError("a model is named as spacy:NAME", hint="spacy:de_core_news_md")
    return model


def refuse_missing(name: str) -> None:
    """Raise where a model is not installed here. It is not loaded, and spaCy neither."""
    model = package_of(name)
    if importlib.util.find_spec("spacy") is None:
        raise MissingExtraError("spacy", "spacy")
    if not Path(model).exists():
        try:
            metadata.distribution(model)
        except metadata.PackageNotFoundError:
            raise _not_installed() from None


def _not_installed() -> ConfigError:
    return ConfigError(
        "a spaCy model is named that is not installed", hint="pip install it; nothing is downloaded here"
    )
