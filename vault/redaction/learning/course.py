"""The course of training: what is read how often, in what order, at what rate."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from vault.redaction.learning import corpora, descent, invent, lists
from vault.redaction.learning.corpora import Message
from vault.redaction.learning.descent import Ints
from vault.redaction.names import features, table
from vault.redaction.names.network import Floats, Weights

TEXTS: Final = Path(features.__file__).with_name("training")
EPOCHS: Final = 8
SEED: Final = 7
WORDS_A_STEP: Final = 2000
RATE: Final = 2.5e-3
SOURCES: Final[Mapping[str, tuple[float, float]]] = {  # how often in an epoch, and with what weight
    "ewt_train": (1.0, 1.6),
    "wnut_train": (1.0, 0.7),
    "btc_train": (1.0, 0.5),
    "wikigold": (1.0, 0.3),
    "sec_train": (0.3, 0.5),
    "sgd_train": (0.2, 0.5),
}
EMPTY: Final[Mapping[str, float]] = {"sgd_train": 0.0, "wnut_train": 0.6, "btc_train": 0.3, "wikigold": 0.6}
"""A sentence of a corpus with nothing to find is read half as often; never where not all names are marked."""

SURE: Final = 0.5
"""What weighs more than this marks its names so fully that an unmarked word is surely none."""

INVENTED: Final = 5000
"""Messages from templates in each epoch."""

VALUED: Final = 4500
"""Messages of values with the words that tell them."""

VALUE: Final = 0.7
"""What such a message counts for. It is too short to judge messages by."""

HIDDEN: Final = 0.25
"""How often a token is read without the word itself."""

CLEAN: Final = 1.4
"""What a message with nothing to find weighs beside one with names."""

UNLISTED: Final = 0.5
"""How often a token is read as if no list held it. The names drawn all are in lists; the world's are not."""

ESTRANGED: Final = 0.7
"""How often a token that is read without the word has no meaning either."""

FORGOTTEN: Final = 0.1
"""How often a feature, or a meaning, is left out."""

SELDOM: Final = 4
"""A feature met less often in one reading of all texts tells of one name and not of names: it is left out."""

CHAT: Final = (2.5, 1.0)

_FILLED: Final = -1
_VALUED: Final = -2
"""What stands for a message that is made from a template, and of values."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What training came to."""

    kinds: dict[str, int]
    plain: frozenset[str]
    famous: frozenset[str]
    learned: table.Learned


class Reader:
    """Turns messages into batches; what it has found out of a token it keeps."""

    def __init__(self, kinds: dict[str, int], words: dict[str, int], meanings: Floats) -> None:
        self.kinds, self.words, self.meanings = kinds, words, meanings
        self.usual = np.zeros(features.BUCKETS, np.bool_)
        self.known: dict[str, tuple[tuple[Ints, ...], Floats]] = {}

    def token(self, token: str) -> tuple[tuple[Ints, ...], Floats]:
        """Give the features of a token in four forms, and its meaning.

        All; without the word itself; as if no list held it; without both.
        """
        found = self.known.get(token)
        if found is None:
            forms = []
            for kinds in (self.kinds, {}):
                names = features.features(token, kinds)
                for some in (names, [name for name in names if name[0] not in "wW"]):
                    ids = np.array(features.hashed(some))
                    self.usual[ids[0]] = True  # how the token is written is always told
                    forms.append(ids[self.usual[ids]])
            row = self.words.get(features.folded(token.strip()) or "")
            meaning = self.meanings[row] if row is not None else np.zeros(table.MEANING, np.float32)
            found = (tuple(forms), meaning)
            self.known[token] = found
        return found

    def count(self, messages: Iterable[Message]) -> None:
        """Find out which features are met often enough."""
        met = np.zeros(features.BUCKETS, np.int64)
        seen = Counter(features.key(word) for message in messages for word in features.tokens(message.text))
        for token, often in seen.items():
            met[features.hashed(features.features(token, self.kinds))] += often
        self.usual = met >= SELDOM

    def batch(
        self, messages: Sequence[tuple[Message, float]], rng: np.random.Generator, *, every: bool = False
    ) -> descent.Batch:
        """Lay messages out in one row."""
        kinds: dict[str, int] = {}
        which: list[int] = []
        at, starts, gold, weight = [], [], [], []
        private, judged = [], []
        place = descent.GAP
        for message, worth in messages:
            words = features.tokens(message.text)
            if not words:
                continue
            starts.append(len(which))
            private.append(bool(message.spans))
            judged.append(0.0 if every or worth <= VALUE else worth)
            which.extend(kinds.setdefault(features.key(word), len(kinds)) for word in words)
            at.append(np.arange(place, place + len(words)))
            gold.append(corpora.labels(message, words))
            weight.append(np.full(len(words), worth, np.float32))
            place += len(words) + descent.GAP
        ids, meanings = [], np.zeros((len(kinds), table.MEANING), np.float32)
        hidden = rng.random((3, len(kinds)))
        for index, token in enumerate(kinds):
            forms, meaning = self.token(token)
            strange, unlisted = hidden[0, index] < HIDDEN, hidden[1, index] < UNLISTED
            ids.append(forms[2 * unlisted + strange])
            if hidden[2, index] >= (ESTRANGED if strange else FORGOTTEN):
                meanings[index] = meaning
        flat = np.concatenate(ids)
        begins = np.cumsum([0, *map(len, ids[:-1])])
        kept = rng.random(len(flat), np.float32) >= FORGOTTEN
        kept[begins] = True
        counts = np.add.reduceat(kept.astype(np.int64), begins)
        return descent.Batch(
            flat[kept], np.cumsum([0, *counts[:-1]]), meanings, np.array(which), np.concatenate(at), place,
            np.array(starts), np.concatenate(gold), np.concatenate(weight),
            np.array(private, np.float32), np.array(judged, np.float32), every,
        )  # fmt: skip


def gathered(folder: Path, texts: Path = TEXTS) -> list[tuple[Message, float, float]]:
    """Read all there is to train on, with how often and with what weight."""
    often, worth = CHAT
    held = [
        (m, often, worth if m.spans else worth * CLEAN)
        for path in sorted(texts.glob("*.txt"))
        for m in corpora.chat(path)
    ]
    for name, (often, worth) in SOURCES.items():
        path = folder / f"{name}.jsonl"
        if path.exists():
            held.extend(
                (m, often if m.spans else often * EMPTY.get(name, 1.0), worth) for m in corpora.corpus(path)
            )
    return held


def _epoch(
    held: Sequence[tuple[Message, float, float]], swapper: invent.Swapper, rng: np.random.Generator
) -> Iterator[tuple[bool, list[tuple[Message, float]]]]:
    """Give an epoch's batches, each for one of the two heads, mixed evenly."""
    ours: list[int] = []
    theirs: list[int] = []
    for index, (message, often, _) in enumerate(held):
        into = ours if message.chat else theirs
        into.extend([index] * int(often + rng.random()))
    ours.extend([_FILLED] * (INVENTED if swapper.stock.templates else 0))
    ours.extend([_VALUED] * (VALUED if swapper.source.labels else 0))
    rng.shuffle(ours)
    rng.shuffle(theirs)
    streams = [_batches(drawn, held, swapper, rng) for drawn in (ours, theirs)]
    done = [0.0 if ours else 1.0, 0.0 if theirs else 1.0]
    while min(done) < 1:
        every = done[1] < done[0]
        done[every], batch = next(streams[every])
        yield every, batch


def _batches(
    drawn: Sequence[int],
    held: Sequence[tuple[Message, float, float]],
    swapper: invent.Swapper,
    rng: np.random.Generator,
) -> Iterator[tuple[float, list[tuple[Message, float]]]]:
    """Make batches of what was drawn; with each, say how much of it is done."""
    batch: list[tuple[Message, float]] = []
    size = 0
    for count, index in enumerate(drawn, 1):
        if index == _FILLED:
            message, worth = invent.filled(swapper.stock, rng), 1.0
        elif index == _VALUED:
            message, worth = invent.valued(swapper.stock, swapper.source, rng), VALUE
        else:
            message, worth = invent.varied(held[index][0], swapper, rng), held[index][2]
        batch.append((message, worth))
        size += len(message.text) // 5 + 1
        if size >= WORDS_A_STEP or count == len(drawn):
            yield count / len(drawn), batch
            batch, size = [], 0


def teach(
    held: Sequence[tuple[Message, float, float]],
    *,
    epochs: int = EPOCHS,
    seed: int = SEED,
    texts: Path = TEXTS,
    tell: Callable[[str], object] = print,
    after: Callable[[int, Taught], object] | None = None,
) -> Taught:
    """Train; the weights that are kept are a running mean of those passed through."""
    rng = np.random.default_rng(seed)
    kinds = lists.bits([m for m, _, _ in held], texts)
    words, meanings = table.read_words()
    swapper = invent.Swapper(invent.Stock.gathered(texts))
    plain = lists.plain([m for m, _, worth in held if worth > SURE], kinds) - swapper.source.said
    reader = Reader(kinds, words, meanings.astype(np.float32) * np.float32(table.UNIT))
    drawn = np.random.default_rng(seed)
    valued = (
        invent.valued(swapper.stock, swapper.source, drawn)
        for _ in range(VALUED if swapper.source.labels else 0)
    )
    reader.count(itertools.chain((m for m, _, _ in held), valued))
    learner = descent.learner(seed, features.BUCKETS)
    taught = functools.partial(Taught, kinds, plain, lists.famous(texts, kinds))
    mean: dict[str, Floats] = {}
    total = epochs * sum(len(m.text) * often for m, often, _ in held) / 5 / WORDS_A_STEP
    for epoch in range(epochs):
        losses = []
        for every, batch in _epoch(held, swapper, rng):
            part = min(learner.steps / total, 1.0)
            rate = RATE * min(1.0, learner.steps / 100) * (1 - 0.95 * part)
            losses.append(learner.step(reader.batch(batch, rng, every=every), rate))
            if learner.steps % 10 == 0 or not mean:
                keep = min(0.97, learner.steps / (learner.steps + 50))
                now = {one.name: getattr(learner.layers, one.name) for one in fields(Weights)}
                for name, value in {**now, "rows": learner.rows, "turn": learner.turn}.items():
                    if name in mean:
                        mean[name] *= np.float32(keep)
                        mean[name] += np.float32(1 - keep) * value
                    else:
                        mean[name] = value.copy()
        tell(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
        if after is not None and mean:
            after(epoch, _kept(taught, mean))
    return _kept(taught, mean)


def _kept(taught: Callable[..., Taught], mean: dict[str, Floats]) -> Taught:
    layers = Weights(**{one.name: mean[one.name] for one in fields(Weights)})
    return taught(table.Learned(layers, mean["rows"], mean["turn"]))


def write(taught: Sequence[Taught], folder: Path) -> None:
    """Write the model's file; all have read the same texts."""
    first = taught[0]
    table.write(folder, first.kinds, first.plain, first.famous, [one.learned for one in taught])
