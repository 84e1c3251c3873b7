"""The network that reads names: two convolutions over word vectors and the gist of the whole message.

    vector (WORD) of each token -> near: of 5 tokens around -> far: of 7 nears around, and the gist -> label

The gist tells a question about the world from a message about the writer's own people. It is pooled from what
each token says alone, so that only tokens that could belong to a name need the layers above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

VALUES: Final = (
    "ADDRESS",
    "AGE",
    "DOB",
    "PHONE",
    "USERNAME",
    "SECRET",
    "PLATE",
    "PASSPORT",
    "DRIVER_LICENSE",
    "NATIONAL_ID",
    "MEDICAL_ID",
    "BANK_ACCOUNT",
    "CARD",
    "EMAIL",
    "URL",
)
"""Kinds of personal data that are no names: told by their shape and the words around them."""

LABELS: Final = (
    *("O", "B-PERSON", "I-PERSON", "B-LOCATION", "I-LOCATION", "B-ORG", "I-ORG"),
    *VALUES,
    "X",
)
"""X is personal data that its shape tells: so network addresses are not read as something else."""

WORD: Final = 72
NEAR: Final = 96
FAR: Final = 96
GIST: Final = 48
SUMMARY: Final = 32
REACH: Final = 2
OFFSETS: Final = (-8, -5, -3, -1, 0, 1, 3)
"""The word that tells what a number is stands before it, and not always near."""

EDGE: Final = 8

_BESIDE: Final = np.array(OFFSETS, np.intp) + EDGE
_SHORT: Final = 40
"""Tokens up to which it costs less to work out all than to choose."""

_ALONE: Final = 1 << 18
"""Multiplications that OpenBLAS does on one thread; more wake others, which costs more than it gains."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The layers after the word vectors."""

    quick: Floats  # (5 * WORD, 1): a first look, which spares most tokens the rest
    quick_bias: Floats
    near: Floats  # (5 * WORD, NEAR)
    near_bias: Floats
    gist: Floats  # (WORD, GIST)
    gist_bias: Floats
    summary: Floats  # (2 * GIST, SUMMARY)
    summary_bias: Floats
    told: Floats  # (SUMMARY, FAR): what the gist adds to each word
    judge: Floats  # (SUMMARY, 1): whether anything in the message is private
    judge_bias: Floats
    far: Floats  # (7 * NEAR, FAR)
    far_bias: Floats
    out: Floats  # (FAR, labels)
    out_bias: Floats


def product(left: Floats, right: Floats) -> Floats:
    """Multiply matrices, a few rows at a time."""
    rows = max(_ALONE // right.size, 1)
    if len(left) <= rows:
        return left @ right
    out = np.empty((len(left), right.shape[1]), np.float32)
    for at in range(0, len(left), rows):
        np.matmul(left[at : at + rows], right, out=out[at : at + rows])
    return out


def looked(parts: Floats, weights: Weights) -> Floats:
    """Add up what each token says of itself and of its neighbours: how likely it is named."""
    score: Floats = parts[REACH] + weights.quick_bias
    for offset in range(1, REACH + 1):
        score[offset:] += parts[REACH - offset, :-offset]
        score[:-offset] += parts[REACH + offset, offset:]
    return score


def judged(gists: Floats, weights: Weights) -> tuple[Floats, float]:
    """Sum a message up from the gists of its tokens, and judge how likely anything in it is private."""
    pooled = np.empty(2 * GIST, np.float32)
    np.maximum.reduce(gists, axis=0, out=pooled[:GIST])
    np.add.reduce(gists, axis=0, out=pooled[GIST:])
    pooled[GIST:] *= np.float32(1 / len(gists))
    summary = pooled @ weights.summary
    summary += weights.summary_bias
    np.maximum(summary, 0, out=summary)
    return summary, float(summary @ weights.judge[:, 0]) + float(weights.judge_bias[0])


def labelled(padded: Floats, summary: Floats, places: Places, weights: Weights) -> Floats:
    """Give the tokens at some places of one message the probabilities of their labels.

    `padded` holds the vectors of all tokens, with REACH rows of zeros at either end.
    """
    count = len(padded) - 2 * REACH
    wide = (2 * REACH + 1) * WORD
    windows = np.ndarray((count, wide), np.float32, padded, 0, (WORD * 4, 4))
    beside = (places[:, None] + _BESIDE).ravel()
    inner = np.zeros((count + 2 * EDGE, NEAR), np.float32)
    if count > _SHORT:
        wanted = np.zeros(count + 2 * EDGE, np.bool_)
        wanted[beside] = True
        needed = np.flatnonzero(wanted[EDGE:-EDGE])
        near = product(windows[needed], weights.near)
        near += weights.near_bias
        inner[needed + EDGE] = np.maximum(near, 0, out=near)
    else:
        near = product(windows, weights.near)
        near += weights.near_bias
        np.maximum(near, 0, out=inner[EDGE:-EDGE])
    far = product(inner.take(beside, axis=0).reshape(len(places), -1), weights.far)
    far += summary @ weights.told + weights.far_bias
    scores = product(np.maximum(far, 0, out=far), weights.out)
    scores += weights.out_bias
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
