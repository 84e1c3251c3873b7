"""The model's files: word lists and meanings, the table of features, the layers. Loaded once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.redaction.names.features import BUCKETS
from vault.redaction.names.network import NETS, Floats, Nets, Weights

MODEL: Final = Path(__file__).with_name("model")
WORDS: Final = "words.npz"
NAMES: Final = "names.npz"
MEANING: Final = 48
"""Numbers that say what a word means."""

UNIT: Final = 1 / 36
"""What a byte of a meaning counts for."""

HASHED: Final = 40
"""Numbers that its features add up to, in each network."""

_LAYERS: Final = tuple(one.name for one in fields(Weights))


@dataclass(frozen=True, slots=True)
class Table:
    """What gives a word its vector: bits of lists, meanings, rows of features."""

    kinds: dict[str, int]
    plain: frozenset[str]  # words, as they are written, that are never part of a name by themselves
    famous: frozenset[str]  # whom and what everybody knows by these very words
    rows: dict[str, int]
    meanings: NDArray[np.int8]
    features: NDArray[np.int8]  # (BUCKETS, NETS * HASHED)
    scale: Floats  # (NETS * HASHED,)
    turn: Floats  # (MEANING, NETS * (WORD - HASHED))


@dataclass(frozen=True, slots=True)
class Learned:
    """What one network has learned: its layers, the rows of features, and which way meanings are turned."""

    layers: Weights
    rows: Floats  # (BUCKETS, HASHED)
    turn: Floats  # (MEANING, WORD - HASHED)


def _packed(words: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode("utf-8"), np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode("utf-8").split("\n")


def _bytes(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    return out.getvalue()


def write_words(words: list[str], meanings: NDArray[np.int8], folder: Path = MODEL) -> None:
    """Write the table of meanings."""
    (folder / WORDS).write_bytes(
        _bytes({"words": _packed(words), "meanings": np.ascontiguousarray(meanings.T)})
    )


def read_words(folder: Path = MODEL) -> tuple[dict[str, int], NDArray[np.int8]]:
    """Read the table of meanings: each word's row."""
    with np.load(folder / WORDS, allow_pickle=False) as held:
        words = _unpacked(held["words"])
        return {word: row for row, word in enumerate(words)}, np.ascontiguousarray(held["meanings"].T)


def write(
    folder: Path,
    kinds: dict[str, int],
    plain: frozenset[str],
    famous: frozenset[str],
    learned: Sequence[Learned],
) -> None:
    """Write what was learned, in as few bytes as do no harm."""
    listed = sorted(kinds)
    rows = np.concatenate([one.rows for one in learned], axis=1)
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-6) / 127
    (folder / NAMES).write_bytes(
        _bytes(
            {
                "listed": _packed(listed),
                "plain": _packed(sorted(plain)),
                "famous": _packed(sorted(famous)),
                "kinds": np.array([kinds[word] for word in listed], np.uint16),
                "features": np.rint(rows / scale).astype(np.int8),
                "scale": scale.astype(np.float32),
                "turn": np.concatenate([one.turn for one in learned], axis=1).astype(np.float16),
                **{
                    name: np.stack([getattr(one.layers, name) for one in learned]).astype(np.float16)
                    for name in _LAYERS
                },
            }
        )
    )


def read(folder: Path = MODEL) -> tuple[Table, Nets]:
    """Read the whole model."""
    rows, meanings = read_words(folder)
    with np.load(folder / NAMES, allow_pickle=False) as held:
        kinds = dict(zip(_unpacked(held["listed"]), held["kinds"].tolist(), strict=True))
        layers = {name: held[name].astype(np.float32) for name in _LAYERS}
        features = held["features"]
        if features.shape != (BUCKETS, NETS * HASHED):
            raise ValueError("the name model was trained for other features")
        plain, famous = (frozenset(_unpacked(held[name])) for name in ("plain", "famous"))
        turn = held["turn"].astype(np.float32)
        nets = Nets.of(
            tuple(Weights(**{name: values[net] for name, values in layers.items()}) for net in range(NETS))
        )
        return Table(kinds, plain, famous, rows, meanings, features, held["scale"], turn), nets
