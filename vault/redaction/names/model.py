"""Finds names, and personal data of other kinds, with the bundled model."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vault.forks import cached, renew_locks
from vault.redaction.findings import Finding
from vault.redaction.names import features, network, table
from vault.redaction.names.features import LONGEST
from vault.redaction.names.memo import Memo, Rows
from vault.redaction.names.network import NETS, REACH, WORD, Floats
from vault.redaction.names.spans import ENTITIES, NAMES, spans

Mode = Literal["balanced", "high-recall", "every-name"]

# Patterns know the forms of telephone numbers, plates, ids and accounts: the model alone must be surer of
# these than of a date of birth or a user name.
_VALUES: Final = (0.2, 0.2, 0.05, 0.5, 0.2, 0.35, *(0.5,) * 9)
THRESHOLDS: Final[dict[Mode, tuple[float, ...]]] = {
    "balanced": (0.1, 0.17, 0.33, *_VALUES),
    "high-recall": (*(0.14,) * 3, 0.12, 0.06, 0.03, *(0.12,) * 12),
    "every-name": (0.6, 0.4, 0.5, *_VALUES),
}

_LEAST: Final = (0.02, 0.05, 0.08, 0.05, 0.2, 0.03, *(0.05,) * 9, 0.4, 0.4, 0.05)
LEAST: Final[dict[Mode, tuple[float, ...]]] = {
    "balanced": _LEAST,
    "high-recall": (0.0,) * 18,
    "every-name": _LEAST,
}
"""What is asked of each kind in the most private message: what is less likely is nearly always a mistake."""

GUESSED: Final = {
    "PHONE_NUMBER": 0.4,
    **dict.fromkeys(("ADDRESS", "AGE", "LICENSE_PLATE", "NATIONAL_ID", "SECRET"), 0.3),
    **dict.fromkeys(("BANK_ACCOUNT", "MEDICAL_ID"), 0.2),
    **dict.fromkeys(("DATE_OF_BIRTH", "LOCATION", "USERNAME"), 0.1),
}
"""What is less likely as a whole is nearly always a number or a word beside what was meant."""

LOOKS: Final[dict[Mode, float]] = {
    "balanced": -3.5,
    "high-recall": -4.5,
    "every-name": float(np.finfo(np.float32).min),
}
"""Tokens that the first look finds less likely than this are left alone."""

PUBLIC: Final[dict[Mode, float]] = {"balanced": 0.1, "high-recall": 0.0, "every-name": 0.0}
"""How much surer a name must be whose words all are known to everybody: a country, a figure, a product."""

NAMED: Final = 1 << 0 | 1 << 1
"""The bits of first names and of surnames."""

_KNOWN: Final = 1 << 4 | 1 << 6 | 1 << 7
"""The bits of those lists."""

ONES: Final = ("PERSON", "LOCATION")
"""Kinds that nobody is who has the very name of what is famous; a famous firm is somebody's place of work."""

PLAINLY: Final = 2.5
"""The judgement from which on a message is plainly about the writer's own people."""

SETTLED: Final = 1.0
"""The judgement of a message that is neither public nor private, as log odds."""

TRUST: Final = (0.7, 0.5)
"""How far the judgement of a public, and of a private, message moves what is asked of each finding in it."""

WHOLE: Final = 2.0
"""The same of the judgement of a public text on what stands in its pieces."""

OWN: Final = 5.0
"""The judgement from which on a message, of which every name is asked for, is the writer's own affair."""

HEARD: Final = (0.5, 5.0)
"""What the word of the head for what is private counts for, beside the other's: before, and from then on."""

FRAGMENT: Final = 6
"""Tokens of which too few tell what a message is about to judge it public."""

BESIDE: Final = 2

_NAMES: Final = slice(0, len(NAMES))

_NEXT: Final = re.compile(r" [^\W\d_]+")
_LAST: Final = re.compile(r"[^\W\d_]+ \Z")

_NEVER: Final = np.float32(-np.inf)
"""How likely it is that what can't be a name is one."""

PIECE: Final = 100_000
"""Letters that are cut into tokens at once; a longer text is parted at a space, if there is one in a LINE."""

LINE: Final = 1000
CHUNK: Final = 2048
OVERLAP: Final = 64
MANY: Final = 256
"""Tokens to be labelled from which it pays to look for those with the same tokens around them."""


class Model:
    """The model's files in memory, and the memo; shared by all threads."""

    def __init__(self, folder: Path) -> None:
        self.table, self.nets = table.read(folder)
        self.memo = Memo()
        self.lock = threading.Lock()
        renew_locks(self, "lock")

    def vector(self, token: str) -> Floats:
        """Work out the vector of one token in each network."""
        ids = features.hashed(features.features(token, self.table.kinds))
        out = np.zeros((NETS, WORD), np.float32)
        summed = self.table.features[ids].sum(axis=0, dtype=np.int32)
        out[:, : table.HASHED] = (summed * self.table.scale).reshape(NETS, -1)
        row = self.table.rows.get(features.folded(token.strip()) or "")
        if row is not None:
            meant = (self.table.meanings[row] * np.float32(table.UNIT)) @ self.table.turn
            out[:, table.HASHED :] = meant.reshape(NETS, -1)
        return out

    def public(self, words: Sequence[str]) -> bool:
        """Say whether each word of a name is one that everybody knows."""
        kinds = self.table.kinds
        bare = [word.strip() for word in words]
        return all(kinds.get(features.folded(word), 0) & _KNOWN for word in bare if len(word) > 1)

    def famous(self, words: Sequence[str], *, doubtful: bool) -> bool:
        """Say whether everybody knows somebody or something by this very name, and nobody else has it.

        'Lauren James' may be anybody where it is not `doubtful` that private people are meant.
        """
        name = features.phrase(words)
        if name not in self.table.famous:
            return False
        parts = name.split()
        return doubtful or (len(parts) > 1 and not all(self.table.kinds.get(one, 0) & NAMED for one in parts))

    def rows(self, words: Sequence[str]) -> tuple[Memo, Rows]:
        """Look up the rows of at most CHUNK tokens, padded; those not met before are worked out."""
        memo = self.memo
        rows = list(map(memo.rows.get, words))
        if None in rows:
            memo, rows = self._learn(words)
        padding = [0] * REACH
        return memo, np.array([*padding, *rows, *padding], np.intp)

    def _learn(self, words: Sequence[str]) -> tuple[Memo, list[int | None]]:
        with self.lock:
            memo = self.memo
            if not memo.has_room(len(words)):
                memo = self.memo = Memo()
            for word in words:
                if word in memo.rows:
                    continue
                short = features.key(word)
                row = memo.rows.get(short)
                if row is None:
                    row = memo.used
                    vectors = self.vector(short)
                    memo.keep(row, network.shares(vectors, self.nets))
                    vector = vectors.reshape(-1)
                    memo.gists[row] = np.maximum(vector @ self.nets.gist + self.nets.gist_bias, 0)
                    memo.looks[row] = self.nets.quick @ vector
                    memo.looks[row, REACH] += (
                        self.nets.quick_bias[0] if features.may_name(short, self.table.plain) else _NEVER
                    )
                    memo.used = row + 1
                    memo.rows[short] = row
                memo.rows[word] = row
            return memo, [memo.rows[word] for word in words]


_models: dict[Path, Model] = {}
_loading = threading.Lock()
renew_locks(sys.modules[__name__], "_loading")


def loaded(folder: Path = table.MODEL) -> Model:
    """Give the model, which is read once in a process."""
    found = _models.get(folder)
    if found is None:
        with _loading:
            found = _models.get(folder) or Model(folder)
            _models[folder] = found
    return found


class Names:
    """Finds names in a text. The model is read at the first call, once in a process."""

    def __init__(self, mode: Mode = "balanced", *, folder: Path = table.MODEL) -> None:
        self.thresholds = np.array(THRESHOLDS[mode], np.float32)
        self.least = np.array(LEAST[mode], np.float32)
        self.guessed: Mapping[str, float] = {} if mode == "high-recall" else GUESSED
        self.public = PUBLIC[mode]
        self.plainly = float(raised(self.thresholds, shifted(PLAINLY))[0])
        self.look = np.float32(LOOKS[mode])
        self.every = mode == "every-name"
        self.folder = folder

    @cached
    def model(self) -> Model:
        """The model's files, read when first needed."""
        return loaded(self.folder)

    def find(self, text: str, known: Sequence[Finding] = (), *, settled: bool = False) -> list[Finding]:
        """Find names and values; what lies in a known finding is not told again where that saves time.

        `settled` judges the text neither public nor private.
        """
        if len(text) <= PIECE:
            return self._read(text, 0, known, settled=settled)
        return [one for start, piece in parted(text) for one in self._read(piece, start, settled=settled)]

    def verdict(self, text: str) -> float:
        """Judge a text in pieces by the most private stretch of it; too few words tell nothing."""
        words, verdicts = features.tokens(text), list[float]()
        if sum(any(map(str.isalnum, word)) for word in words) <= FRAGMENT:
            return SETTLED
        for begin in range(0, len(words), CHUNK):
            memo, rows = self.model.rows(words[begin : begin + CHUNK])
            verdicts.append(network.judged(memo.gists.take(rows[REACH:-REACH], axis=0), self.model.nets)[1])
        return max(verdicts)

    def stands(self, finding: Finding, said: str, verdict: float) -> bool:
        """Say whether what was found in a piece stands by the verdict on the whole."""
        doubt = verdict - SETTLED
        bounds = raised(self.thresholds, doubt * WHOLE if doubt < 0 else shifted(verdict))
        if finding.score < bounds[ENTITIES.index(finding.entity)]:
            return False
        is_private = float(bounds[0]) <= self.plainly
        return finding.entity not in ONES or not self.model.famous(
            features.tokens(said), doubtful=not is_private
        )

    def _read(
        self, text: str, place: int, known: Sequence[Finding] = (), *, settled: bool = False
    ) -> list[Finding]:
        """Read a text of which the first letter stands at a place."""
        words, memo = None, self.model.memo
        rows = memo.met(text)
        if rows is None or len(rows) > CHUNK:
            words = features.tokens(text)
            if len(words) > CHUNK:
                return self._read_long(words, place, settled=settled)
            memo, rows = self.model.rows(words)
            memo.meet(text)
        if known and words is None:
            words = features.tokens(text)
        likely = self._likely(memo, rows, words, known, settled=settled)
        if likely is None:
            return []
        return self.found(words or features.tokens(text), *likely, place, settled=settled)

    def _read_long(self, words: list[str], place: int, *, settled: bool) -> list[Finding]:
        """Read more tokens than one chunk holds."""
        out: list[Finding] = []
        for begin in range(0, len(words), CHUNK - 2 * OVERLAP):
            start = max(begin - OVERLAP, 0)
            some = words[start : begin + CHUNK - OVERLAP]
            kept = min(begin + CHUNK - 2 * OVERLAP, len(words))
            if (likely := self._likely(*self.model.rows(some), settled=settled)) is not None:
                before = sum(map(len, words[start:begin]))
                at = place - before, begin - start, kept - start
                out += self.found(some, *likely, *at, settled=settled)
            place += sum(map(len, words[begin:kept]))
        return out

    def _likely(
        self,
        memo: Memo,
        rows: Rows,
        words: Sequence[str] | None = None,
        known: Sequence[Finding] = (),
        *,
        settled: bool = False,
    ) -> tuple[Floats, Floats] | None:
        """Say of each token of a chunk how likely it is of each kind, and what is asked of each kind.

        None where no token is likely enough, beside those of the `words` that lie in known findings.
        """
        count = len(rows) - 2 * REACH
        if not count:
            return None
        looks = network.looked(memo.looks.take(rows, axis=0))
        if looks[looks.argmax()] <= self.look:
            return None
        core = np.flatnonzero(looks > self.look)
        if words and known:
            core = _beyond(core, words, known)
            if not len(core):
                return None
        nets = self.model.nets
        summary, verdict = network.judged(memo.gists.take(rows[REACH:-REACH], axis=0), nets)
        asked = 0.0 if settled else shifted(verdict, count, proven=bool(known))
        if asked < 0 and not self.every:
            core = core[looks[core] > self.look - asked]
            if not len(core):
                return None
        places = _beside(core, count)
        some, which = network.alike(rows, places) if len(places) > MANY else (places, slice(None))
        odds = self.odds(rows, memo.shares, summary, some, verdict)[which]
        bounds = self.bounds(asked)
        if not firm(odds, bounds).any():
            return None
        whole = np.zeros((count, odds.shape[1]), np.float32)
        whole[places] = odds
        return whole, bounds

    def odds(  # noqa: PLR0913, PLR0917 (of one message)
        self,
        rows: Rows,
        shares: Floats,
        summary: Floats,
        places: Rows,
        verdict: float | Floats,
        held: NDArray[np.bool_] | None = None,
    ) -> Floats:
        """Say of tokens how likely they are of each kind; in the last column, how likely a name begins."""
        nets = self.model.nets
        odds = gathered(network.labelled(rows, shares, summary, places, nets, held))
        if self.every:
            others = gathered(network.labelled(rows, shares, summary, places, nets, held, every=True))
            weight = np.where(np.asarray(verdict) > OWN, HEARD[1], HEARD[0]).astype(np.float32)
            _join(odds, others, weight[..., None])
        return odds

    def bounds(self, asked: float | Floats) -> Floats:
        """Say what is asked of each kind in a message that is judged so."""
        out = np.maximum(raised(self.thresholds, asked), self.least)
        if self.every:
            out[..., _NAMES] = self.thresholds[_NAMES]
        return out

    def found(  # noqa: PLR0913, PLR0917 (of one chunk)
        self,
        words: list[str],
        odds: Floats,
        bounds: Floats,
        offset: int = 0,
        begin: int = 0,
        stop: int | None = None,
        *,
        settled: bool = False,
    ) -> list[Finding]:
        """Give the names of one chunk that start within words[begin:stop]."""
        every = spans(words, odds, bounds, offset, begin, len(words) if stop is None else stop)
        found = (one for one in every if one[0].score >= self.guessed.get(one[0].entity, 0.0))
        if not self.public:
            return [one for one, _, _ in found]
        is_private = settled or float(bounds[0]) <= self.plainly
        text = "".join(words)
        return [
            one
            for one, some, bound in found
            if one.score >= bound + self.public or not self.model.public(some)
            if one.entity not in ONES
            or not any(
                self.model.famous(name, doubtful=not is_private)
                for name in (some, *_fuller(text, one.start - offset, one.end - offset))
            )
        ]

    def may_name(self, word: str) -> bool:
        """Say whether a word, as it is written, can be part of a name."""
        return features.may_name(word, self.model.table.plain)

    def is_known(self, finding: Finding, said: str) -> bool:
        """Say whether all the world knows a place of this name, or somebody by this very name."""
        words = features.tokens(said)
        is_place = finding.entity == "LOCATION" and self.model.public(words)
        return is_place or self.model.famous(words, doubtful=True)


def parted(text: str) -> Iterator[tuple[int, str]]:
    """Give a text in pieces, each with its place."""
    start = 0
    while start < len(text):
        stop = start + PIECE
        if stop < len(text):
            space = max(text.rfind("\n", stop - LINE, stop), text.rfind(" ", stop - LINE, stop))
            stop = space if space > start else stop
        yield start, text[start:stop]
        start = stop


def shifted(verdict: float, tokens: int = FRAGMENT + 1, *, proven: bool = False) -> float:
    """Say how much less, in log odds, is asked of findings in a message that is judged so.

    What has few tokens, or `proven` personal data in it, is not judged public.
    """
    doubt = verdict - SETTLED
    least = 0.0 if proven or tokens <= FRAGMENT else -9.0
    return min(max(doubt * TRUST[doubt > 0], least), 6.0)


def raised(bounds: Floats, shift: float | Floats) -> Floats:
    """Ask more in a message that does not look private, and less in one that does."""
    odds: np.float32 | Floats = np.exp(shift, dtype=np.float32)
    out: Floats = (bounds / (bounds + odds * (np.float32(1) - bounds))).astype(np.float32)
    return out


def gathered(odds: Floats) -> Floats:
    """Add up the labels of each entity; behind them stands how likely it is that a name begins."""
    out = np.empty((len(odds), len(ENTITIES) + 1), np.float32)
    names = len(NAMES)
    np.add(odds[:, 1 : 2 * names : 2], odds[:, 2 : 2 * names + 1 : 2], out=out[:, :names])
    out[:, names:-1] = odds[:, 2 * names + 1 : -1]
    np.add.reduce(odds[:, 1 : 2 * names : 2], axis=1, out=out[:, -1])
    return out


def firm(odds: Floats, bounds: Floats) -> NDArray[np.bool_]:
    """Say which tokens are as likely personal as is asked of what they most likely are."""
    kinds = odds[:, :-1]
    best = kinds.argmax(axis=1)
    wanted = bounds[best] if bounds.ndim == 1 else bounds[np.arange(len(best)), best]
    found: NDArray[np.bool_] = kinds.sum(axis=1) >= wanted
    return found


def _fuller(text: str, start: int, end: int) -> Iterator[list[str]]:
    """Give a name with the word behind it, and with the one before: only a part of it may have been found."""
    if behind := _NEXT.match(text, end):
        yield features.tokens(text[start : behind.end()])
    if before := _LAST.search(text[max(start - LONGEST, 0) : start]):
        yield features.tokens(before[0] + text[start:end])


def _join(odds: Floats, others: Floats, weight: Floats) -> None:
    """Take names as others see them, but where these odds, weighed, are surer of one."""
    told = [*range(len(NAMES)), -1]
    ours, theirs = odds[:, told] * weight, others[:, told]
    ours /= np.maximum(ours[:, :-1].sum(axis=1, keepdims=True), 1)
    is_surer = ours[:, :-1].sum(axis=1) > theirs[:, :-1].sum(axis=1)
    odds[:, told] = np.where(is_surer[:, None], ours, theirs)


def _beyond(core: Rows, words: Sequence[str], known: Sequence[Finding]) -> Rows:
    """Leave out the tokens of a text that known findings cover."""
    ends = list(accumulate(map(len, words)))
    covered = bytearray(ends[-1])
    for one in known:
        covered[one.start : one.end] = b"\x01" * (one.end - one.start)

    def is_covered(at: int) -> bool:
        return covered.find(0, ends[at] - len(words[at].lstrip()), ends[at]) < 0

    return np.array([at for at in core.tolist() if not is_covered(at)], np.intp)


def _beside(core: Rows, count: int) -> Rows:
    """Add the tokens around those that may be personal: a name may hold 'of', a dot or a hyphen."""
    wanted = np.zeros(count + 2 * BESIDE, np.bool_)
    for offset in range(2 * BESIDE + 1):
        wanted[core + offset] = True
    return np.flatnonzero(wanted[BESIDE : count + BESIDE])
