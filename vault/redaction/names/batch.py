"""Reads many short texts at once: the cells of a table, the strings of a JSON text.

What the network costs for a text of three words is mostly the way there, so many of them go together, as one
text in which they stand so far apart that none sees another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vault.redaction.findings import Finding
from vault.redaction.names import features, model, network
from vault.redaction.names.memo import Memo, Rows
from vault.redaction.names.model import BESIDE, CHUNK, Names
from vault.redaction.names.network import EDGE, REACH, Floats


def find_each(names: Names, texts: Sequence[str]) -> Iterator[list[Finding]]:
    """Find names and values in short texts, each for itself, as `names.find` does."""
    cut = [features.tokens(text) for text in texts]
    start = tokens = 0
    for stop, words in enumerate(cut):
        if tokens and tokens + len(words) > CHUNK:
            yield from _find_all(names, cut[start:stop])
            start, tokens = stop, 0
        tokens += len(words)
    yield from _find_all(names, cut[start:])


def _find_all(names: Names, cut: Sequence[list[str]]) -> Iterator[list[Finding]]:
    """Find what is in texts of at most CHUNK tokens together."""
    every = [word for words in cut for word in words]
    if not every:
        yield from ([] for _ in cut)
        return
    if len(every) > CHUNK:
        yield names.find("".join(every))
        return
    memo, rows = names.model.rows(every)
    sizes = np.array([len(words) for words in cut if words], np.intp)
    likely = _likely(names, memo, rows[REACH:-REACH], sizes)
    for words in cut:
        odds, bounds = next(likely) if words else (None, None)
        yield [] if odds is None or bounds is None else names.found(words, odds, bounds)


def _likely(
    names: Names, memo: Memo, rows: Rows, sizes: Rows
) -> Iterator[tuple[Floats | None, Floats | None]]:
    """Do for each text what Names does for one: `rows` has the tokens of all, `sizes` how many each has."""
    nets = names.model.nets
    text = np.repeat(np.arange(len(sizes)), sizes)  # of each token
    at = np.arange(len(rows)) + EDGE * text  # where it stands, EDGE places from the text before
    count = int(at[-1]) + 1
    padded = np.zeros(count + 2 * REACH, np.intp)
    padded[REACH + at] = rows
    looks = network.looked(memo.looks.take(padded, axis=0))[at]
    summaries, verdicts = network.judged_each(memo.gists.take(rows, axis=0), sizes, nets)
    judged = zip(verdicts.tolist(), sizes.tolist(), strict=True)
    asked = np.array([model.shifted(verdict, size) for verdict, size in judged], np.float32)
    less = 0.0 if names.every else np.minimum(asked, 0)[text]
    core = at[looks > names.look - less]
    wanted = np.zeros(count + 2 * EDGE, np.bool_)
    for offset in range(-BESIDE, BESIDE + 1):
        wanted[core + (EDGE + offset)] = True
    some = np.flatnonzero(wanted[at + EDGE])  # tokens that are to be labelled
    if not len(some):
        yield from ((None, None) for _ in sizes)
        return
    held = padded[REACH:-REACH] > 0
    odds = names.odds(padded, memo.shares, summaries[text[some]], at[some], verdicts[text[some]], held)
    bounds = names.bounds(asked[:, None])
    whole = np.zeros((len(rows), odds.shape[1]), np.float32)
    whole[some] = odds
    has_names = np.zeros(len(sizes), np.bool_)
    has_names[text[some[model.firm(odds, bounds[text[some]])]]] = True
    stops = np.cumsum(sizes)
    for one, (start, stop) in enumerate(zip(stops - sizes, stops, strict=True)):
        yield (whole[start:stop], bounds[one]) if has_names[one] else (None, None)
