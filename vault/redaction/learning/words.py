"""Makes the table of word meanings: MiniLM's word embeddings, turned to few directions and to bytes.

python -m vault.redaction.learning.words DIRECTORY   # that holds vocab.txt and model.safetensors
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np

from vault.redaction.names import table

MEANING: Final = table.MEANING
_TENSOR: Final = "embeddings.word_embeddings.weight"


def embeddings(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Read the word embeddings out of a safetensors file."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    name = next(n for n in header if n.endswith(_TENSOR))
    start, stop = header[name]["data_offsets"]
    kind = {"F32": np.float32, "F16": np.float16}[header[name]["dtype"]]
    flat = np.frombuffer(raw[8 + size + start : 8 + size + stop], kind)
    return flat.reshape(header[name]["shape"]).astype(np.float32)


def make(directory: Path) -> tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.int8]]]:
    """Keep whole words only, and the directions in which they differ most."""
    vocabulary = (directory / "vocab.txt").read_text("utf-8").splitlines()
    chosen = [(word, row) for row, word in enumerate(vocabulary) if word.isalpha()]
    rows = embeddings(directory / "model.safetensors")[[row for _, row in chosen]]
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= rows.mean(axis=0)
    _, directions = np.linalg.eigh(rows.T.astype(np.float64) @ rows)
    turned = rows @ directions[:, ::-1][:, :MEANING].astype(np.float32)
    turned /= turned.std(axis=0) * 3.5
    return [word for word, _ in chosen], np.clip(np.rint(turned * 127), -127, 127).astype(np.int8)


if __name__ == "__main__":
    table.write_words(*make(Path(sys.argv[1])))
