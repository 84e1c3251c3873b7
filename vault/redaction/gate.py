r"""The gate: one scan of a text tells which recognizers could find anything in it; only those are run.

The promise is that it never misses: a recognizer that would find something is always let through. So
the patterns are compiled for Hyperscan as prefilters (which may match more, never less), and the text is
mapped
to ASCII, each other character to one of the same \w, \d and \s class. Hyperscan's own Unicode mode is not
used: it disagrees with Python's on what a word is. A pattern that could tell the mapped character from the
real one
(a negated class) lets its recognizer through whenever the text is not ASCII.

There are two databases, and that of the patterns which all need a digit is for texts that have one.

Compiling takes seconds, so the database is kept in the user's cache directory, and until it is there, or
where
hyperscan is not installed, cheap tests of the characters take its place (`vault.redaction.characters`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
import re
import stat
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from vault.redaction.characters import Need, needed, present

_LOG = logging.getLogger(__name__)
_MAGIC = b"transcript-vault gate 2\n"
_DIGEST = 32
_LENGTH = 8
_DIGITS = b"0123456789"
Build = Literal["now", "background", "never"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern without which `owner` finds nothing: a regular expression and its flags."""

    owner: int
    pattern: str
    flags: re.RegexFlag = re.IGNORECASE | re.DOTALL | re.MULTILINE
    every: bool = False  # where all its matches end is wanted, and not only whether there is one


class Ends(list[int]):
    """Where an owner's signs end in a text; `signs` has a bit for each that was seen."""

    __slots__ = ("signs",)

    def __init__(self, ends: Iterable[int] = (), signs: int = -1) -> None:
        super().__init__(ends)
        self.signs = signs


class _Table(dict[int, str]):
    r"""Maps each character beyond ASCII to one of the same \w, \d and \s class, as `regex` sees them.

    Presidio's patterns are run by `regex`, which knows a newer Unicode than Python itself does.
    """

    def __missing__(self, code: int) -> str:
        try:
            import regex
        except ImportError:
            regex = re
        character = chr(code)
        found = "\x01"
        for pattern, stand_in in ((r"\d", "0"), (r"\w", "x"), (r"\s", " ")):
            if regex.match(pattern, character):
                found = stand_in
                break
        self[code] = found
        return found


# What equals an ASCII letter when case is ignored is that letter.
_MAP = _Table({code: chr(code) for code in range(128)} | {0x17F: "s", 0x212A: "k", 0x130: "i", 0x131: "i"})


def mapped(text: str) -> bytes:
    """The text as the gate reads it: one byte for each character."""
    return text.encode() if text.isascii() else text.translate(_MAP).encode()


def cache_directory() -> Path | None:
    """Where this user's caches are kept, if that can be told."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "transcript-vault" if Path(given).is_absolute() else None
    with contextlib.suppress(RuntimeError):
        parts = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
        return Path.home().joinpath(*parts, "transcript-vault")
    return None


class Gate:
    """Tells which owners' signs a text shows. Safe for threads.

    `build` says when the database is compiled.
    """

    def __init__(
        self, signs: Sequence[Sign], *, cache: Path | None = None, build: Build = "background"
    ) -> None:
        self._signs = tuple(signs)
        counted: Counter[int] = Counter()
        self._owners: list[tuple[int, int]] = []
        for sign in self._signs:
            self._owners.append((sign.owner, 1 << counted[sign.owner]))
            counted[sign.owner] += 1
        self._wary = frozenset(sign.owner for sign in self._signs if "[^" in sign.pattern)
        self._needs: list[Need] = [needed(sign.pattern, sign.flags) for sign in self._signs]
        self._cache = cache
        self._databases: dict[bool, _Database] = {}  # by whether all that it finds has a digit
        self._always: frozenset[int] = frozenset()
        if build == "now":
            self._open()
        elif build == "background" and not self._load():
            threading.Thread(target=self._open, name="vault-gate", daemon=True).start()

    @property
    def compiled(self) -> bool:
        """Whether the database is in use, and not the tests of characters."""
        return bool(self._databases)

    def fired(self, text: str) -> dict[int, Ends]:
        """The owners that could find something in a text, each with the places where signs of it end."""
        if not self._databases:
            return self._plain(text)
        is_plain = text.isascii()
        through = self._always if is_plain else self._always | self._wary
        found = {owner: Ends() for owner in through} if through else {}
        hits: list[tuple[int, int]] = []
        body = text.encode() if is_plain else mapped(text)
        has_digits = len(body.translate(None, _DIGITS)) < len(body)
        for of_digits, database in self._databases.items():
            if has_digits or not of_digits:
                database.scan(body, hits)
        if not hits:
            return found
        hits.sort(key=_end)
        owners = self._owners
        for hit, end in hits:
            owner, bit = owners[hit]
            ends = found.get(owner)
            if ends is None:
                ends = found[owner] = Ends(signs=0)
            ends.append(end)
            ends.signs |= bit
        return found

    def _plain(self, text: str) -> dict[int, Ends]:
        there = present(text)
        found: dict[int, Ends] = {}
        for sign, need, (owner, bit) in zip(self._signs, self._needs, self._owners, strict=True):
            if need.met(there):
                ends = found.get(owner)
                if ends is None:
                    ends = found[owner] = Ends(signs=0)
                ends.signs |= bit
                if sign.every:
                    ends += [match.end() for match in _every(sign).finditer(text)]
        return found

    def _open(self) -> None:
        """Take the database from the cache, or compile it and leave it there."""
        if self._load():
            return
        try:
            import hyperscan
        except ImportError:
            return
        parts: dict[bool, list[int]] = {}
        for number, need in enumerate(self._needs):
            parts.setdefault(need.has_digit, []).append(number)
        try:
            compiled = {
                of_digits: _compiled(hyperscan, {number: self._signs[number] for number in numbers})
                for of_digits, numbers in parts.items()
            }
        except hyperscan.HyperscanError as error:  # the plain gate is as sound, only slower
            _LOG.warning("the gate's database can't be compiled: %s", type(error).__name__)
            return
        self._always = frozenset().union(*(failed for _, failed in compiled.values()))
        self._databases = {of_digits: _Database(made) for of_digits, (made, _) in compiled.items()}
        with contextlib.suppress(OSError):
            if not self._always and (path := self._path()):
                write_cached(
                    path, _joined({one: hyperscan.dumpb(made) for one, (made, _) in compiled.items()})
                )

    def _path(self) -> Path | None:
        if self._cache is None:
            return None
        made_for = importlib.metadata.version("hyperscan"), sys.byteorder, os.uname().machine
        key = hashlib.sha256(_MAGIC + repr(made_for).encode())
        for sign in self._signs:
            key.update(repr((sign.owner, sign.pattern, int(sign.flags), sign.every)).encode())
        return self._cache / f"gate-{key.hexdigest()[:40]}.hs"

    def _load(self) -> bool:
        """Use the database of the cache, if it is ours and whole."""
        try:
            import hyperscan

            path = self._path()
            body = None if path is None else read_cached(path)
            if body is None:
                return False
            self._databases = {
                of_digits: _Database(hyperscan.loadb(part, hyperscan.HS_MODE_BLOCK))
                for of_digits, part in _parted(body).items()
            }
        except ImportError:
            return False
        except Exception as error:  # noqa: BLE001 (whatever is wrong with a cached file, it is made anew)
            _LOG.info("the gate's cached database can't be used: %s", type(error).__name__)
            self._databases = {}
            return False
        return True


class _Database:
    """A database of Hyperscan's, and what each thread needs to scan with it."""

    __slots__ = ("_made", "_scratch")

    def __init__(self, made: Any) -> None:
        import hyperscan

        self._made = made
        self._scratch = threading.local()
        self._scratch.own = hyperscan.Scratch(made)

    def scan(self, body: bytes, hits: list[tuple[int, int]]) -> None:
        """Note what matches, and where it ends."""
        try:
            scratch = self._scratch.own
        except AttributeError:
            import hyperscan

            scratch = self._scratch.own = hyperscan.Scratch(self._made)
        self._made.scan(body, _note, 0, hits, scratch)


def _note(hit: int, _start: int, end: int, _flags: int, hits: list[tuple[int, int]]) -> None:
    hits.append((hit, end))


_end = itemgetter(1)


def _joined(databases: dict[bool, bytes]) -> bytes:
    """Put the databases into one file, before which stands how long the first is."""
    parts = [databases.get(of_digits, b"") for of_digits in (False, True)]
    return b"".join((len(parts[0]).to_bytes(_LENGTH, "big"), *parts))


def _parted(body: bytes) -> dict[bool, bytes]:
    edge = _LENGTH + int.from_bytes(body[:_LENGTH], "big")
    parts = {False: body[_LENGTH:edge], True: body[edge:]}
    return {of_digits: part for of_digits, part in parts.items() if part}


@functools.cache
def _every(sign: Sign) -> re.Pattern[str]:
    return re.compile(sign.pattern, sign.flags)


def _compiled(hyperscan: Any, signs: Mapping[int, Sign]) -> tuple[Any, frozenset[int]]:
    """Compile all signs; owners of those that Hyperscan can't read are always let through."""
    bits: dict[re.RegexFlag, int] = {
        re.IGNORECASE: hyperscan.HS_FLAG_CASELESS,
        re.DOTALL: hyperscan.HS_FLAG_DOTALL,
        re.MULTILINE: hyperscan.HS_FLAG_MULTILINE,
    }
    once = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY

    def built(rows: Sequence[tuple[int, str, int]]) -> Any:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=[pattern.encode() for _, pattern, _ in rows],
            ids=[row for row, _, _ in rows],
            elements=len(rows),
            flags=[flags for _, _, flags in rows],
        )
        return database

    rows = []
    for number, sign in signs.items():
        flags = 0 if sign.every else once
        for flag, bit in bits.items():
            flags |= bit if sign.flags & flag else 0
        # A look-behind that opens a pattern can be read as text that comes before: Hyperscan reads only that.
        rows.append((number, sign.pattern.replace("(?<=", "(?:"), flags))

    def compiles(row: tuple[int, str, int]) -> bool:
        try:
            built([row])
        except hyperscan.HyperscanError:
            return False
        return True

    try:
        return built(rows), frozenset()
    except hyperscan.HyperscanError:
        good = [row for row in rows if compiles(row)]
        kept = {row[0] for row in good}
        return built(good), frozenset(sign.owner for number, sign in signs.items() if number not in kept)


def _ours(status: os.stat_result) -> bool:
    """Nobody else may have written it: a database is code that Hyperscan runs."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def read_cached(path: Path) -> bytes | None:
    """What `write_cached` left there; nothing if it is damaged, or if somebody else could have written it."""
    try:
        if not _ours(path.parent.lstat()):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not (stat.S_ISREG(status.st_mode) and _ours(status)):
            return None
        head, digest, body = file.read(len(_MAGIC)), file.read(_DIGEST), file.read()
    whole = head == _MAGIC and hashlib.sha256(body).digest() == digest
    return body if whole else None


def write_cached(path: Path, body: bytes) -> None:
    """Put a file in its place in one step, so that another process reads all of it or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _ours(path.parent.lstat()):
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".gate-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(body).digest() + body)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
