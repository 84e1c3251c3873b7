"""The shape of a policy file as a JSON Schema, from which editors complete and check."""

from __future__ import annotations

from typing import Any

from vault.retention.shape import (
    POLICY,
    Choice,
    Field,
    Kind,
    Label,
    Labels,
    Many,
    Raw,
    Record,
    Some,
    Text,
    Version,
)

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Give the schema of a policy file, draft 2020-12.

    It says what a file looks like. What its classes mean together, only `vault policy check` can say.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "transcript-vault policy",
        "description": "How long the messages of AI chats are kept, and why.",
        **_of(POLICY),
    }


def _of(kind: Kind) -> Schema:
    match kind:
        case Record():
            return _record(kind)
        case Some():
            one = _of(kind.kind)
            return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
        case Many():
            return {"type": "array", "items": _of(kind.kind), "minItems": 1}
        case Labels():
            return {"type": "object", "additionalProperties": _of(kind.kind), "minProperties": 1}
        case Raw():
            return {"type": "object"}
        case _:
            return _of_scalar(kind)


def _of_scalar(kind: Text | Choice | Version | Label) -> Schema:
    match kind:
        case Version():
            return {"type": "integer", "const": 1}
        case Label():
            return {"type": ["string", "number", "boolean"]}
        case Choice():
            return {"type": "string", "enum": list(kind.words)}
        case Text():
            return {"type": "string", "pattern": f"^(?:{kind.pattern})$", "examples": list(kind.examples)}


def _record(kind: Record) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: _field(field) for name, field in kind.fields.items()},
        "additionalProperties": False,
    }
    if kind.required:
        schema["required"] = list(kind.required)
    if kind.one_of:
        schema["anyOf"] = [{"required": [name]} for name in kind.one_of]
    return schema


def _field(field: Field) -> Schema:
    said: Schema = {"description": field.about}
    if field.default is not None:
        said["default"] = field.default
    return {**said, **_of(field.kind)}
