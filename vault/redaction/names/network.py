"""The networks that read names: two convolutions over word vectors and the gist of the whole message.

    vector (WORD) of each token -> near: of 5 tokens around -> far: of 7 nears around, and the gist -> label

There are NETS of them, alike but taught apart, each with word vectors of its own. Where one errs by chance
the others seldom do, so their scores are averaged.

The gist tells a question about the world from a message about the writer's own people. It is pooled from what
each token says alone, so that only tokens that could belong to a name need the layers above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

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

NETS: Final = 2
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
_WIDE: Final = 2 * REACH + 1
_AROUND: Final = np.arange(_WIDE)
_SHORT: Final = 40
"""Tokens up to which it costs less to work out all than to choose."""

_ALONE: Final = (1 << 19) - 1
"""Multiplications that OpenBLAS does on one thread; more wake others, which costs more than it gains."""

_EVEN: Final = 4
"""Rows that it multiplies together: of a number that is no multiple, the rest takes as long as these."""


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
    every_told: Floats  # and the same for names of every sort, also those that all the world knows
    every_far: Floats
    every_far_bias: Floats
    every_out: Floats
    every_out_bias: Floats


class Head(NamedTuple):
    """The last layers of all networks, as if they were one: they give labels, of which the mean is taken."""

    told: Floats  # (NETS * SUMMARY, NETS * FAR)
    far: tuple[Floats, ...]
    far_bias: Floats  # (NETS * FAR,)
    out: Floats  # (NETS * FAR, labels)
    out_bias: Floats

    @classmethod
    def of(cls, each: Sequence[Weights], which: str = "") -> Head:
        """Join the layers of a name."""
        told, far, far_bias, out, out_bias = (
            [getattr(one, which + name) for one in each]
            for name in ("told", "far", "far_bias", "out", "out_bias")
        )
        share = np.float32(1 / len(each))
        return cls(
            _diagonal(told),
            tuple(far),
            np.concatenate(far_bias),
            np.concatenate(out) * share,
            np.add.reduce(out_bias) * share,
        )


@dataclass(frozen=True, slots=True)
class Nets:
    """All networks; what is read of every message, as if they were one."""

    near: tuple[Floats, ...]
    quick: Floats  # (5, NETS * WORD)
    quick_bias: Floats
    gist: Floats  # (NETS * WORD, NETS * GIST)
    gist_bias: Floats
    summary: Floats  # (2 * NETS * GIST, NETS * SUMMARY)
    summary_bias: Floats
    judge: Floats  # (NETS * SUMMARY,)
    judge_bias: float
    near_bias: Floats  # (NETS * NEAR,)
    private: Head
    every: Head

    @classmethod
    def of(cls, each: tuple[Weights, ...]) -> Nets:
        """Join networks; the first look and the judgement are the means of theirs."""
        share = np.float32(1 / len(each))
        halves = [_diagonal([one.summary[half : half + GIST] for one in each]) for half in (0, GIST)]
        return cls(
            tuple(one.near.reshape(-1, WORD, NEAR) for one in each),
            np.concatenate([one.quick.reshape(-1, WORD) for one in each], axis=1) * share,
            np.stack([one.quick_bias for one in each]).sum(axis=0) * share,
            _diagonal([one.gist for one in each]),
            np.concatenate([one.gist_bias for one in each]),
            np.concatenate(halves),
            np.concatenate([one.summary_bias for one in each]),
            np.concatenate([one.judge[:, 0] for one in each]) * share,
            float(np.mean([one.judge_bias[0] for one in each])),
            np.concatenate([one.near_bias for one in each]),
            Head.of(each),
            Head.of(each, "every_"),
        )


def _diagonal(blocks: Sequence[Floats]) -> Floats:
    """Put matrices of one size into one, corner to corner."""
    rows, columns = blocks[0].shape
    out = np.zeros((rows * len(blocks), columns * len(blocks)), np.float32)
    for index, block in enumerate(blocks):
        out[index * rows : (index + 1) * rows, index * columns : (index + 1) * columns] = block
    return out


def product(left: Floats, right: Floats) -> Floats:
    """Multiply matrices, a few rows at a time."""
    rows = max(_ALONE // right.size // _EVEN * _EVEN, 1)
    if len(left) <= rows:
        return left @ right
    out = np.empty((len(left), right.shape[1]), np.float32)
    for at in range(0, len(left), rows):
        np.matmul(left[at : at + rows], right, out=out[at : at + rows])
    return out


def looked(said: Floats) -> Floats:
    """Add up what each token says of itself and of its neighbours: how likely it is named.

    `said` has a row for each token, and REACH rows of zeros at either end.
    """
    count, wide = len(said) - 2 * REACH, 2 * REACH + 1
    beside = np.ndarray((wide, count), np.float32, said, 0, (4 * (wide + 1), 4 * wide))  # said[at + by, by]
    total: Floats = np.add.reduce(beside)
    return total


def judged(gists: Floats, nets: Nets) -> tuple[Floats, float]:
    """Sum a message up from the gists of its tokens, and judge how likely anything in it is private."""
    size = gists.shape[1]
    pooled = np.empty(2 * size, np.float32)
    np.maximum.reduce(gists, axis=0, out=pooled[:size])
    np.add.reduce(gists, axis=0, out=pooled[size:])
    pooled[size:] *= np.float32(1 / len(gists))
    summary = pooled @ nets.summary
    summary += nets.summary_bias
    np.maximum(summary, 0, out=summary)
    return summary, float(summary @ nets.judge) + nets.judge_bias


def judged_each(gists: Floats, sizes: Places, nets: Nets) -> tuple[Floats, Floats]:
    """Judge many messages, of so many tokens each, of which the gists stand one behind the other."""
    starts = np.cumsum(sizes) - sizes
    pooled = np.concatenate(
        (
            np.maximum.reduceat(gists, starts, axis=0),
            np.add.reduceat(gists, starts, axis=0) * (np.float32(1) / sizes[:, None].astype(np.float32)),
        ),
        axis=1,
    )
    summaries = np.maximum(product(pooled, nets.summary) + nets.summary_bias, 0)
    return summaries, summaries @ nets.judge + np.float32(nets.judge_bias)


def alike(rows: Places, places: Places) -> tuple[Places, Places]:
    """Give one of the places for each surroundings that any has, and for each place which of those it is.

    Tables, logs and floods repeat themselves: what stands among the same tokens gets the same labels.
    """
    before, behind = REACH - min(OFFSETS), REACH + max(OFFSETS)
    numbers, reach = np.pad(rows.astype(np.int64), (before - REACH, 2 * (before + behind))), 1
    while reach <= before + behind:  # each number stands for twice as many tokens as before
        pairs = numbers[:-reach] << 32 | numbers[reach:]
        numbers = np.unique(pairs, return_inverse=True)[1]
        reach *= 2
    _, first, which = np.unique(numbers[places], return_index=True, return_inverse=True)
    return places[first], which


def shares(vectors: Floats, nets: Nets) -> Floats:
    """Work out what a token adds to the `near` of each token around it: of all networks side by side."""
    both = zip(vectors, nets.near, strict=True)
    return np.concatenate([np.matmul(vector, near) for vector, near in both], axis=1)


def labelled(  # noqa: PLR0913, PLR0917 (of one message)
    rows: Places,
    shared: Floats,
    summary: Floats,
    places: Places,
    nets: Nets,
    held: NDArray[np.bool_] | None = None,
    *,
    every: bool = False,
) -> Floats:
    """Give the tokens at some places of one message the probabilities of their labels.

    `rows` are those of all its tokens in `shared`, which holds the shares of each network; with REACH zeros,
    where there is nothing, at either end. Where these are many messages, EDGE zeros apart, `held` says which
    are tokens, and there is a summary for each place. Asked for `every` name, the other head answers.
    """
    count = len(rows) - 2 * REACH
    beside = (places[:, None] + _BESIDE).ravel()
    needed = None
    if count > _SHORT or held is not None:
        wanted = np.zeros(count + 2 * EDGE, np.bool_)
        wanted[beside] = True
        here = wanted[EDGE:-EDGE]
        needed = np.flatnonzero(here if held is None else here & held)
    scaled = rows * _WIDE
    around = np.ndarray((count, _WIDE), np.intp, scaled, 0, scaled.strides * 2) + _AROUND
    near = np.add.reduce(shared.take(around if needed is None else around[needed], axis=0), axis=1)
    near += nets.near_bias
    np.maximum(near, 0, out=near)
    inner = np.zeros((count + 2 * EDGE, shared.shape[1]), np.float32)
    if needed is None:
        inner[EDGE:-EDGE] = near
    else:
        inner[needed + EDGE] = near
    seen = inner.take(beside, axis=0).reshape(len(places), len(OFFSETS), -1, NEAR)
    head = nets.every if every else nets.private
    far = np.empty((len(places), len(head.far_bias)), np.float32)
    for net, layer in enumerate(head.far):
        mine = slice(net * FAR, (net + 1) * FAR)
        far[:, mine] = product(seen[:, :, net].reshape(len(places), -1), layer)
    far += summary @ head.told + head.far_bias
    scores = product(np.maximum(far, 0, out=far), head.out)
    scores += head.out_bias
    scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=1, keepdims=True)
    return scores
