"""Gradient descent for the network, by hand: it has few layers, and training needs no framework."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.redaction.names import network
from vault.redaction.names.network import (
    EDGE,
    FAR,
    GIST,
    LABELS,
    NEAR,
    OFFSETS,
    REACH,
    SUMMARY,
    WORD,
    Floats,
    Weights,
)
from vault.redaction.names.table import HASHED, MEANING

Ints = NDArray[np.int64]
GAP: Final = 2 * max(REACH, EDGE)
_FIRST, _SECOND, _TINY = 0.9, 0.99, 1e-8
_DECAY: Final = 0.03
_NAMED: Final = 5
"""What missing a name at the first look counts for, against looking again in vain."""


_JUDGED: Final = 0.1
"""What judging a message counts for, against its labels."""


@dataclass(slots=True)
class Batch:
    """Several messages in one row, with gaps between them; each word stands for its kind of token."""

    ids: Ints  # features of all kinds of token, one after another
    starts: Ints  # where those of each begin
    meanings: Floats  # (kinds of token, MEANING)
    kinds: Ints  # (words,): which kind of token
    at: Ints  # (words,): where the word stands in the row
    length: int
    messages: Ints  # where each message's words begin
    gold: Ints
    weight: Floats
    private: Floats  # (messages,): whether anything in it is private
    judged: Floats  # (messages,): what that counts for
    every: bool = False  # whether names of every sort are marked in it


def fresh(seed: int) -> Weights:
    """Make layers that know nothing yet."""
    rng = np.random.default_rng(seed)

    def some(rows: int, columns: int) -> Floats:
        drawn: Floats = (rng.standard_normal((rows, columns)) * np.sqrt(2 / rows)).astype(np.float32)
        return drawn

    def none(size: int) -> Floats:
        return np.zeros(size, np.float32)

    return Weights(
        none((2 * REACH + 1) * WORD)[:, None], none(1),
        some((2 * REACH + 1) * WORD, NEAR), none(NEAR), some(WORD, GIST), none(GIST),
        some(2 * GIST, SUMMARY), none(SUMMARY), some(SUMMARY, FAR), none(SUMMARY)[:, None], none(1),
        some(len(OFFSETS) * NEAR, FAR), none(FAR),
        some(FAR, len(LABELS)) * np.float32(0.3), none(len(LABELS)),
        np.zeros((SUMMARY, FAR), np.float32), some(len(OFFSETS) * NEAR, FAR), none(FAR),
        some(FAR, len(LABELS)) * np.float32(0.3), none(len(LABELS)),
    )  # fmt: skip


@dataclass(slots=True)
class Learner:
    """The weights, and Adam's memory of how they moved."""

    layers: Weights
    rows: Floats  # (BUCKETS, HASHED)
    turn: Floats  # (MEANING, WORD - HASHED)
    rng: np.random.Generator
    drop: float = 0.2
    steps: int = 0
    moments: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def _move(self, name: str, value: Floats, slope: Floats, rate: float, only: Ints | None = None) -> None:
        if name not in self.moments:
            self.moments[name] = (np.zeros_like(value), np.zeros_like(value))
        first, second = self.moments[name]
        if only is None:
            first *= _FIRST
            first += (1 - _FIRST) * slope
            second *= _SECOND
            second += (1 - _SECOND) * slope * slope
            value *= np.float32(1 - rate * _DECAY)
            value -= rate * first / (np.sqrt(second) + _TINY)
            return
        one = first[only] * _FIRST + (1 - _FIRST) * slope
        two = second[only] * _SECOND + (1 - _SECOND) * slope * slope
        first[only], second[only] = one, two
        value[only] *= np.float32(1 - rate * _DECAY)
        value[only] -= rate * one / (np.sqrt(two) + 1e-6)

    def step(self, batch: Batch, rate: float) -> float:  # noqa: PLR0915 (one pass there and back)
        """Learn from one batch; the mean loss is returned."""
        self.steps += 1
        w, rng = self.layers, self.rng
        keep = np.float32(1 / (1 - self.drop))

        def dropped(shape: tuple[int, ...]) -> Floats:
            return (rng.random(shape, np.float32) >= self.drop).astype(np.float32) * keep

        head = "every_" if batch.every else ""
        w_told, w_far, w_far_bias, w_out, w_out_bias = (
            getattr(w, head + name) for name in ("told", "far", "far_bias", "out", "out_bias")
        )
        # forward
        summed = np.add.reduceat(self.rows[batch.ids], batch.starts, axis=0)
        vectors = np.concatenate((summed, batch.meanings @ self.turn), axis=1)[batch.kinds]
        count, at = len(batch.kinds), batch.at
        padded = np.zeros((batch.length, WORD), np.float32)
        padded[at] = vectors
        windows = np.concatenate([padded[at + o] for o in range(-REACH, REACH + 1)], axis=1)
        held = np.maximum(windows @ w.near + w.near_bias, 0)
        sizes = np.diff(np.append(batch.messages, count))
        owner = np.repeat(np.arange(len(sizes)), sizes)
        share: Floats = np.reciprocal(sizes[:, None].astype(np.float32))
        gists = np.maximum(vectors @ w.gist + w.gist_bias, 0)
        most = np.maximum.reduceat(gists, batch.messages, axis=0)
        mean = np.add.reduceat(gists, batch.messages, axis=0) * share
        pooled = np.concatenate((most, mean), axis=1)
        mask_pool = dropped(pooled.shape)
        pooled *= mask_pool
        summary = np.maximum(pooled @ w.summary + w.summary_bias, 0)
        mask_near = dropped(held.shape)
        inner = np.zeros((batch.length, NEAR), np.float32)
        inner[at] = held * mask_near
        wide = np.concatenate([inner[at + o] for o in OFFSETS], axis=1)
        far = np.maximum(wide @ w_far + (summary @ w_told)[owner] + w_far_bias, 0)
        mask_far = dropped(far.shape)
        dimmed = far * mask_far
        scores = dimmed @ w_out + w_out_bias
        scores -= scores.max(axis=1, keepdims=True)
        odds: Floats = np.exp(scores)
        odds /= odds.sum(axis=1, keepdims=True)
        every = np.arange(count)
        total = float(batch.weight.sum())
        loss = float(-(np.log(odds[every, batch.gold] + 1e-9) * batch.weight).sum()) / total

        named = (batch.gold > 0) & (batch.gold < len(LABELS) - 1)
        look = (windows @ w.quick)[:, 0] + w.quick_bias
        d_look = 1 / (1 + np.exp(-np.clip(look, -30, 30))) - named
        d_look *= np.where(named, np.float32(_NAMED), np.float32(1)) / np.float32(count)

        verdict = (summary @ w.judge)[:, 0] + w.judge_bias
        d_verdict = 1 / (1 + np.exp(-np.clip(verdict, -30, 30))) - batch.private
        d_verdict *= batch.judged * np.float32(_JUDGED / len(sizes))
        d_verdict = d_verdict.astype(np.float32)

        # backward
        d_scores = odds
        d_scores[every, batch.gold] -= 1
        d_scores *= (batch.weight / np.float32(total))[:, None]
        slopes: dict[str, Floats] = {
            head + "out": dimmed.T @ d_scores,
            head + "out_bias": d_scores.sum(axis=0),
        }
        if not batch.every:
            slopes["quick"], slopes["quick_bias"] = windows.T @ d_look[:, None], d_look.sum(keepdims=True)
        d_far = (d_scores @ w_out.T) * mask_far
        d_far[far <= 0] = 0
        slopes[head + "far"], slopes[head + "far_bias"] = wide.T @ d_far, d_far.sum(axis=0)
        d_wide = d_far @ w_far.T
        d_inner = np.zeros_like(inner)
        for index, offset in enumerate(OFFSETS):
            d_inner[at + offset] += d_wide[:, index * NEAR : (index + 1) * NEAR]
        d_told = np.add.reduceat(d_far, batch.messages, axis=0)
        slopes[head + "told"] = summary.T @ d_told
        slopes["judge"], slopes["judge_bias"] = summary.T @ d_verdict[:, None], d_verdict.sum(keepdims=True)
        d_summary = d_told @ w_told.T + d_verdict[:, None] @ w.judge.T
        d_summary[summary <= 0] = 0
        slopes["summary"], slopes["summary_bias"] = pooled.T @ d_summary, d_summary.sum(axis=0)
        d_pooled: Floats = (d_summary @ w.summary.T) * mask_pool
        d_held = d_inner[at] * mask_near
        d_held[held <= 0] = 0
        d_gists: Floats = (d_pooled[:, GIST:] * share)[owner]
        d_gists += d_pooled[:, :GIST][owner] * (gists >= most[owner])
        d_gists[gists <= 0] = 0
        slopes["gist"], slopes["gist_bias"] = vectors.T @ d_gists, d_gists.sum(axis=0)
        slopes["near"], slopes["near_bias"] = windows.T @ d_held, d_held.sum(axis=0)
        d_windows = d_held @ w.near.T
        d_padded = np.zeros_like(padded)
        for index in range(2 * REACH + 1):
            d_padded[at + index - REACH] += d_windows[:, index * WORD : (index + 1) * WORD]
        d_vectors = d_padded[at] + d_gists @ w.gist.T
        order = np.argsort(batch.kinds, kind="stable")
        firsts = np.flatnonzero(np.diff(batch.kinds[order], prepend=-1))
        d_kinds = np.add.reduceat(d_vectors[order], firsts, axis=0)
        d_turn = batch.meanings.T @ d_kinds[:, HASHED:]
        spread = np.repeat(np.arange(len(batch.starts)), np.diff(np.append(batch.starts, len(batch.ids))))
        rank = np.argsort(batch.ids, kind="stable")
        touched = np.flatnonzero(np.diff(batch.ids[rank], prepend=-1))
        d_rows = np.add.reduceat(d_kinds[:, :HASHED][spread[rank]], touched, axis=0)

        for one in fields(Weights):
            if one.name in slopes:
                self._move(one.name, getattr(w, one.name), slopes[one.name], rate)
        self._move("turn", self.turn, d_turn, rate)
        self._move("rows", self.rows, d_rows, rate, batch.ids[rank][touched])
        return loss


def learner(seed: int, buckets: int) -> Learner:
    """Begin to learn."""
    rng = np.random.default_rng(seed)
    turn = (rng.standard_normal((MEANING, WORD - HASHED)) * np.sqrt(1 / MEANING)).astype(np.float32)
    rows = np.zeros((buckets, HASHED), np.float32)
    return Learner(fresh(seed + 1), rows, turn, rng)


__all__ = ["GAP", "Batch", "Learner", "learner", "network"]
