"""A root in a file, or in several that mirror each other.

A change is one read, one step and one write, under a lock beside every file. It holds only when it is on
every mirror; to repeat it is always safe. Reads take no lock: a new generation is one more line at the end,
and for any other change the file is replaced. What it held before is then overwritten, once the new one is
durable everywhere (P3, P8).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from vault.crypto.envelope import Cipher, random_id, random_key
from vault.errors import (
    ConfigError,
    KeyringOutdatedError,
    RootUnavailableError,
    UsageError,
    VaultError,
    WrongKeyError,
)
from vault.forks import renew_locks
from vault.roots import Erased, Generation, Noted, Phase, Receipt, RootState
from vault.roots.file_disk import (
    MAX_BYTES,
    append_all,
    can_append,
    exposures,
    is_taken,
    locked,
    passphrase_exposures,
    read,
    read_passphrase,
    remove_all,
    replace_all,
    shared_place,
)
from vault.roots.file_format import Document, Held, Kdf, encode
from vault.roots.file_lines import END, Line, Understood, understand
from vault.roots.file_lines import encode as encode_line
from vault.roots.file_room import SPARE, obstacle
from vault.roots.file_survey import Mirror, Survey

_MEND = "mend that place, then repeat"
_GIVE_UP = "; or give it up: vault keys move to the files that are left"


class FileRoot:
    """The root in one file, or in several that mirror each other, plain or under a passphrase."""

    def __init__(self, paths: tuple[Path, ...], passphrase: str | None = None) -> None:
        self._paths = tuple(path.absolute() for path in paths)
        if not paths or len(set(self._paths)) < len(paths):
            raise ConfigError("a file root needs one path or several different ones")
        if not all(path.name for path in paths) or "\0" in self.name:
            raise ConfigError("a path of the root names no file")
        if passphrase == "":
            raise ConfigError("the passphrase of the root is empty")
        self._passphrase = passphrase
        self._passphrase_file: Path | None = None
        self._ciphers: dict[str, Cipher] = {}
        self._known: tuple[Document, RootState] | None = None
        self._understood: dict[Path, Understood] = {}
        self._loading = threading.Lock()
        self._derived: dict[Kdf, Cipher] = {}
        self._deriving = threading.Lock()
        renew_locks(self, "_loading", "_deriving")

    @classmethod
    def from_uri(cls, uri: str, *, relative_to: str | Path = ".") -> FileRoot:
        """Read `file:/a/root.key,/b/root.key?passphrase-file=/c`; relative paths start at `relative_to`."""
        try:
            parts = urlsplit(uri)
        except ValueError:
            raise ConfigError("the URI of the root can't be read") from None
        if parts.scheme != "file" or parts.netloc or parts.fragment:
            raise ConfigError(
                "the URI of a file root is file:/path/to/root.key, with no host and no #",
                hint="write # ? , and % within a path as %23 %3F %2C and %25",
            )
        names = parts.path.split(",")
        if not all(names):
            raise ConfigError("a path in the URI of the root is empty")
        # A wrong option is not repeated in the message: it may be the passphrase itself.
        option, _, file = parts.query.partition("=")
        if parts.query and (option != "passphrase-file" or not file or "&" in file):
            raise ConfigError("the only option of a file root is ?passphrase-file=/path")
        start = Path(relative_to)
        root = cls(
            tuple(start / unquote(name) for name in names),
            read_passphrase(start / unquote(file)) if file else None,
        )
        root._passphrase_file = start / unquote(file) if file else None
        return root

    @property
    def name(self) -> str:
        """Its URI without the option."""
        return f"file:{','.join(map(str, self._paths))}"

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where its files are."""
        return self._paths

    def exists(self) -> bool:
        """Say whether anything is at one of its paths; a mirror that is missing does not count."""
        unreachable = None
        for path in self._paths:
            try:
                if is_taken(path):
                    return True
            except RootUnavailableError as error:
                unreachable = error  # which another mirror may make up for
        if unreachable is not None:
            raise unreachable
        return False

    def require_place(self, making: Path) -> None:
        """Refuse before anything is made, where a new file could not be; `making` is to be a directory."""
        for path in self._paths:
            if path.parent == making.absolute() or is_taken(path):
                continue
            place = path.parent.resolve()  # `..` leads nowhere from a directory that is not there yet
            why = obstacle(place / path.name, SPARE) if place.is_dir() else f"there is no directory {place}"
            if why is not None:
                raise RootUnavailableError(
                    f"the root at {path} can't be made: {why}", hint="mount its disk, or name another place"
                )

    def create(self, vault: bytes, holder: bytes, at: int) -> Generation:
        """Make the first generation; refuse where a file is in the way."""
        first = _new_generation(1, Phase.CURRENT, (), at)
        document = Document(version=1, vault=vault.hex(), holder=holder.hex(), serial=1, generations=(first,))
        kdf = None if self._passphrase is None else Kdf.fresh()
        data = self._encode(document, kdf)
        with locked(self._paths):
            for path in self._paths:
                if is_taken(path):
                    raise ConfigError(
                        f"there is a file at {path} already", hint="a root is never overwritten: move it away"
                    )
            replace_all(self._paths, data)
        self.load()
        return first.without_key()

    def load(self) -> RootState:
        """Read afresh what the root holds now, and keep its keys in memory."""
        # Within the lock, so that of two threads the one that read later also remembers later.
        with self._loading:
            return self._remember(self._survey().newest().document)

    def _remember(self, document: Document) -> RootState:
        """Keep the keys of what was read, or written and read back, in memory."""
        if self._known is None or document is not self._known[0]:
            before = self._ciphers
            self._ciphers = {one.id: before.get(one.id) or Cipher(one.key) for one in document.generations}
            self._known = document, document.state(self._known)
        return self._known[1]

    def wrap(self, generation: bytes, key: bytes, aad: bytes) -> bytes:
        """Seal a key under one generation."""
        return self._cipher(generation).seal(key, aad)

    def unwrap(self, generation: bytes, wrapped: bytes, aad: bytes) -> bytes:
        """Open what `wrap` sealed; KeyringOutdatedError when that generation is not here (any more)."""
        return self._cipher(generation).open(wrapped, aad)

    def stage(
        self, ordinal: int, erased: tuple[Erased, ...], at: int, *, promoting: bytes | None = None
    ) -> Generation:
        """Add a new generation on every mirror, in place of staged ones that came to nothing."""
        new = _new_generation(ordinal, Phase.STAGED, erased, at)
        promoted = None if promoting is None else promoting.hex()
        self._change(lambda document: Line(document.serial + 1, promoted, new))
        return new.without_key()

    def promote(self, generation: bytes, at: int) -> None:
        """Make a staged generation the current one; the one before it retires."""
        self._change(lambda document: document.promote(generation.hex(), at))

    def destroy(self, generations: tuple[bytes, ...], *, promoting: bytes | None = None) -> Receipt:
        """Remove retired generations from every mirror, and read back that they are gone (P3)."""
        gone = frozenset(generation.hex() for generation in generations)
        serial = self._change(lambda document: document.settled(promoting).destroy(gone))
        return Receipt(
            provider="file",
            generations=generations,
            proof=f"absent from {len(self._paths)} of {len(self._paths)} files, each read back at serial"
            f" {serial}; the files before were overwritten",
        )

    def note(self, noted: Noted, *, dropping: tuple[bytes, ...] = ()) -> None:
        """Remember a hold as it stands now, on every mirror; drop those that nobody needs any more."""
        self._change(lambda document: document.note(noted, dropping))

    def claim(self, holder: bytes) -> None:
        """From now on only the keyring of this holder swaps the root."""
        self._change(lambda document: replace(document, holder=holder.hex()))

    def spread(self) -> None:
        """Write what the root holds to every mirror, the missing ones too: somebody asked for them."""
        self._change(lambda document: document, adding=True)

    def withdraw(self, gone: tuple[Path, ...]) -> None:
        """Take some files away once the others hold what they do, while nobody changes any of them.

        Who still goes by the old places may have changed the root since it was spread: what stays must hold
        that too, or it opens nothing any more.
        """
        mine = tuple(path for path in gone if path in self._paths)
        self._change(lambda document: document, adding=True, leaving=mine)
        if others := tuple(path for path in gone if path not in mine):
            with locked(others):  # nothing was there, but for what an interrupted move may have left
                remove_all(others)

    def require_mirrors(self) -> None:
        """Refuse before anything is begun that needs a change, where one could not be made."""
        survey = self._survey()
        survey.newest()
        survey.refuse_missing()
        survey.refuse_faults()
        stuck = survey.stuck()
        for said in stuck:
            raise RootUnavailableError(said, hint=_MEND + (_GIVE_UP if len(stuck) < len(self._paths) else ""))
        with locked(self._paths):
            """It can be had."""

    def heal(self) -> None:
        """Bring a mirror that was away up to date: what was destroyed meanwhile is destroyed there too (P3).

        Where another one is still away, or can't be read, nothing is changed, and the next change refuses.
        """
        survey = self._survey()
        if not (survey.agrees or survey.missing or survey.faults):
            self._change(lambda document: document)

    def is_stuck(self, path: Path) -> bool:
        """Say whether something is at one of its paths that can't be read, or not be overwritten."""
        one = FileRoot((path,), self._passphrase)
        try:
            if not one.exists():
                return False
            one.require_mirrors()
        except VaultError:
            return True
        return False

    def hindrances(self) -> list[str]:
        """Say what keeps the root from being changed, so that nothing can be erased."""
        try:
            survey = self._survey()
            survey.newest()
        except VaultError as error:
            return [str(error)]
        missing = [
            f"the mirror {path} is missing: while it is, nothing can be erased" for path in survey.missing
        ]
        return [*map(str, survey.faults), *missing, *survey.stuck()]

    def warnings(self) -> list[str]:
        """Say what an operator should mend."""
        hindrances = self.hindrances()
        try:
            return [*hindrances, *self._dangers()]
        except VaultError as error:
            return hindrances or [str(error)]

    def _dangers(self) -> list[str]:
        """Say what may lose the root, or give it to others."""
        survey = self._survey()
        newest = survey.newest()
        found = [
            f"the mirror {one.path} is behind: the next opening brings it up to date"
            for one in survey.opened
            if one.document.rank != newest.document.rank
        ]
        if len(self._paths) == 1:
            found.append("the root has no mirror: whoever loses this file loses every transcript")
        if shared := shared_place([one.path for one in survey.opened]):
            found.append(f"mirrors of the root lie on one {shared}, and are lost with it")
        for one in survey.opened:
            found += exposures(one.path)
        if self._passphrase_file is not None:
            found += passphrase_exposures(self._passphrase_file, self._paths)
        return found

    def _cipher(self, generation: bytes) -> Cipher:
        name = generation.hex()
        if name not in self._ciphers:
            self.load()
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise KeyringOutdatedError(
                "the root does not hold this generation (any more)",
                hint="use a younger copy of the keyring, or the root that belongs to this one",
            )
        return cipher

    def _derive(self, kdf: Kdf, where: str) -> Cipher:
        if self._passphrase is None:
            raise WrongKeyError(
                f"the root at {where} is under a passphrase, and none was given",
                hint="add ?passphrase-file=/path to the URI of the root",
            )
        with self._deriving:
            if kdf not in self._derived:
                self._derived[kdf] = kdf.derive(self._passphrase)
            return self._derived[kdf]

    def _open(self, path: Path, data: bytes) -> Mirror:
        """Understand what was read; the same bytes are understood once."""
        known = self._understood.get(path)
        if known is None or known.data != data:
            known = self._understand(path, data, known)
            self._understood[path] = known
        return Mirror(path, known)

    def _understand(self, path: Path, data: bytes, before: Understood | None = None) -> Understood:
        said = understand(data, str(path), lambda kdf: self._derive(kdf, str(path)), before)
        if said.kdf is None and self._passphrase is not None:
            raise ConfigError(
                f"a passphrase is given, but the root at {path} is not under one",
                hint="leave ?passphrase-file away, or put a sealed root there",
            )
        return said

    def _survey(self) -> Survey:
        opened, missing, faults = [], [], []
        for path in self._paths:
            try:
                data = read(path)
                if data is None:
                    missing.append(path)
                else:
                    opened.append(self._open(path, data))
            except (RootUnavailableError, WrongKeyError, ConfigError) as fault:
                # Without the traceback: its frames hold what was read.
                faults.append(fault.with_traceback(None))
        return Survey(tuple(opened), tuple(missing), tuple(faults))

    def _change(
        self,
        step: Callable[[Document], Document | Line],
        *,
        adding: bool = False,
        leaving: tuple[Path, ...] = (),
    ) -> int:
        """Read, change and write as one; give the serial that is now on every mirror."""
        if self._passphrase is not None:
            self.load()  # derives the passphrase's key, which nobody should wait for under the lock
        if not adding:
            self._survey().refuse_missing()  # before a lock is left where a disk is to be mounted
        with locked(self._paths):
            survey = self._survey()
            newest = survey.newest()
            if not adding:
                survey.refuse_missing()
            survey.refuse_faults()
            change, serial = step(newest.document), newest.document.serial + 1
            if isinstance(change, Line):
                after = change.after(newest.document)
                is_written = survey.agrees and self._append(newest.said, change, after)
            else:
                after, is_written = replace(change, serial=serial), False
            if not is_written:
                replace_all(self._paths, self._encode(after, newest.said.kdf))
            with self._loading:  # read back already; and nobody changes it before this lock is given up
                self._remember(self._understood[self._paths[0]].document)
            if leaving:
                remove_all(leaving)
        return serial

    def _append(self, said: Understood, line: Line, after: Document) -> bool:
        """Add a line to every file; False where that can't be, or it could not be read again."""
        cipher = None if said.kdf is None else self._derive(said.kdf, self.name)
        data = encode_line(line, said.kdf, cipher)
        if not can_append(self._paths, len(said.data) + len(data)):
            return False
        following = None
        with suppress(RootUnavailableError):
            following = self._understand(self._paths[0], said.data + data, said)
        if following is None or following.document != after:
            return False
        append_all(self._paths, len(said.data), data)
        self._understood = dict.fromkeys(self._paths, following)
        return True

    def _encode(self, document: Document, kdf: Kdf | None) -> bytes:
        """Encode, and make sure that it can be read again: nothing else may ever take a root's place."""
        data = encode(document, kdf, None if kdf is None else self._derive(kdf, self.name)) + END
        if len(data) <= MAX_BYTES:
            with suppress(RootUnavailableError):
                said = self._understand(self._paths[0], data)
                if said.document == document:
                    said = Understood(data, document, said.kdf)
                    self._understood = dict.fromkeys(self._paths, said)
                    return data
        raise UsageError("this can't be kept in a root file")


def _new_generation(ordinal: int, phase: Phase, erased: tuple[Erased, ...], at: int) -> Held:
    return Held(
        id=random_id().hex(),
        ordinal=ordinal,
        key=random_key(),
        phase=phase,
        created_at=at,
        retired_at=None,
        erased=erased,
    )
