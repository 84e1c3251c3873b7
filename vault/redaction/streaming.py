"""A stream whose placeholders are numbered by what a session remembers, and kept by what is stored of it."""

from __future__ import annotations

from vault.redaction.engine import Engine
from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.operators import OPERATORS
from vault.redaction.places import Placed
from vault.redaction.search import Looked
from vault.redaction.settings import Redaction
from vault.redaction.stream import Stream
from vault.redaction.writings import normal


def numbered(engine: Engine, memory: Memory, settings: Redaction) -> Stream:
    """Make a stream; `shown` tells afterwards which value went out under which number."""

    def replace(text: str, found: list[Finding]) -> str:
        pieces, at = [], 0
        for one in found:
            raw = text[one.start : one.end]
            value = one.read(raw) if isinstance(one, Placed) else raw  # what is stored is numbered by this
            operator = settings.operator_for(one.entity)
            now = OPERATORS[operator](one, value, memory)
            if operator == "placeholder":
                stream.shown[one.entity, normal(value)] = memory.number(one.entity, value)
            pieces += [text[at : one.start], one.write(now) if isinstance(one, Placed) else now]
            at = one.end
        return "".join([*pieces, text[at:]])

    looked = Looked()
    stream = Stream(
        lambda text: engine.find_known(text, memory, settings, looked), replace, hold=engine.reach(settings)
    )
    return stream
