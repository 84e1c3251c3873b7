"""A stream whose placeholders are numbered by what a session remembers, and kept by what is stored of it."""

from __future__ import annotations

from vault.redaction.engine import Engine
from vault.redaction.findings import Finding
from vault.redaction.memory import Memory, normal
from vault.redaction.settings import Redaction
from vault.redaction.stream import Stream


def numbered(engine: Engine, memory: Memory, settings: Redaction) -> Stream:
    """Make a stream; `shown` tells afterwards which value went out under which number."""

    def replace(text: str, found: list[Finding]) -> str:
        for one in found:
            if settings.operator_for(one.entity) == "placeholder":
                value = text[one.start : one.end]
                stream.shown[one.entity, normal(value)] = memory.number(one.entity, value)
        return engine.replace(text, found, memory, settings)[0]

    stream = Stream(
        lambda text: engine.find_known(text, memory, settings), replace, hold=engine.reach(settings)
    )
    return stream
