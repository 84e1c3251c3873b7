"""The layers below the names: what several networks think together, and what is worked out only once."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.redaction.learning import descent
from vault.redaction.names import network


@pytest.mark.wide
@given(st.lists(st.integers(1, 2), min_size=1, max_size=70), st.randoms())
def test_places_are_alike_that_have_the_same_tokens_around_them(tokens: list[int], chance: Random) -> None:
    left, right = network.REACH - min(network.OFFSETS), network.REACH + max(network.OFFSETS)
    places = [at for at in range(len(tokens)) if chance.random() < 0.8]
    surrounded = [0] * left + tokens + [0] * right
    around = [tuple(surrounded[at : at + left + right + 1]) for at in places]
    padding = [0] * network.REACH
    some, which = network.alike(np.array([*padding, *tokens, *padding]), np.array(places, np.intp))
    assert [around[places.index(some[one])] for one in which] == around
    assert len(some) == len(set(around))


def shared(vectors: network.Floats, nets: network.Nets) -> network.Floats:
    """What some tokens add to those around them, after what adds nothing."""
    each = [network.shares(one, nets) for one in vectors.swapaxes(0, 1)]
    return np.concatenate([np.zeros_like(each[0]), *each])


def drawn(weights: network.Weights, rng: np.random.Generator, *names: str) -> network.Weights:
    """Give layers that would be zeros something to say."""
    return replace(
        weights,
        **{name: rng.standard_normal(getattr(weights, name).shape, np.float32) / 10 for name in names},
    )


@pytest.mark.parametrize("every", [False, True])
def test_networks_together_think_the_mean_of_what_each_thinks(*, every: bool) -> None:
    rng = np.random.default_rng(1)
    silent = "judge", "told", "far_bias", "out_bias", "every_told", "every_far_bias", "every_out_bias"
    each = tuple(drawn(descent.fresh(seed), rng, *silent) for seed in (1, 2))
    vectors = rng.standard_normal((2, 60, network.WORD), np.float32)
    rows = np.pad(np.arange(1, 61), network.REACH)
    alone = []
    for one, own in zip(each, vectors, strict=True):
        nets = network.Nets.of((one,))
        alone.append(network.judged(np.maximum(own @ nets.gist, 0), nets))
    both = network.Nets.of(each)
    summary, verdict = network.judged(np.maximum(np.concatenate(vectors, axis=1) @ both.gist, 0), both)
    assert verdict == pytest.approx(np.mean([one for _, one in alone]), rel=1e-4)
    assert summary == pytest.approx(np.concatenate([one for one, _ in alone]), rel=1e-3, abs=1e-4)
    for places in (np.arange(60), np.array([3, 59])):
        odds = [
            network.labelled(
                rows, shared(vectors[at : at + 1], nets), alone[at][0], places, nets, every=every
            )
            for at, nets in enumerate(network.Nets.of((one,)) for one in each)
        ]
        mean = np.sqrt(odds[0] * odds[1])
        expected = mean / mean.sum(axis=1, keepdims=True)
        together = network.labelled(rows, shared(vectors, both), summary, places, both, every=every)
        assert together == pytest.approx(expected, abs=1e-4)
        other = network.labelled(rows, shared(vectors, both), summary, places, both, every=not every)
        assert abs(together - other).max() > 0.01


def test_what_each_token_adds_makes_what_a_network_sees_of_them_together() -> None:
    rng = np.random.default_rng(2)
    one = descent.fresh(3)
    nets = network.Nets.of((one,))
    vectors = rng.standard_normal((1, 12, network.WORD), np.float32)
    adds = shared(vectors, nets).reshape(13, -1, network.NEAR)
    seen = vectors[0, 3:8].reshape(-1) @ one.near
    assert sum(adds[4 + at, at] for at in range(5)) == pytest.approx(seen, abs=1e-3)
