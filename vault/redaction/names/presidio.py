"""The bundled model as a recognizer for Presidio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault.redaction.names.model import Mode, Names
from vault.redaction.names.spans import BY, ENTITIES

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer


def presidio_recognizer(mode: Mode = "balanced", language: str = "en") -> EntityRecognizer:
    """Make a recognizer that `AnalyzerEngine.registry.add_recognizer` takes. Imports Presidio."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class NamesRecognizer(EntityRecognizer):  # type: ignore[misc]
        """Finds names and personal values by the model that comes with the package."""

        def load(self) -> None:
            """Do nothing: the model is read when it is first needed."""

        def analyze(
            self,
            text: str,
            entities: list[str],
            nlp_artifacts: Any = None,  # noqa: ARG002 (Presidio's signature)
        ) -> list[RecognizerResult]:
            """Find them; Presidio's artifacts are not needed."""
            return [
                RecognizerResult(one.entity, one.start, one.end, one.score)
                for one in names.find(text)
                if not entities or one.entity in entities
            ]

    names = Names(mode)
    return NamesRecognizer(supported_entities=list(ENTITIES), name=BY, supported_language=language)
