"""What `vault doctor` looks at, step by step. Nothing is changed, repeated or completed by looking."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from vault.chat.reading import Reader
from vault.chat.sessions import Sessions
from vault.cli.given import Given, open_existing
from vault.cli.talking import counted
from vault.clock import system_clock
from vault.config import Settings, is_vault
from vault.erasure import Eraser
from vault.errors import GuardedError, MissingError, VaultError, WrongKeyError
from vault.keys.home import is_home, require_home
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper, locate
from vault.listing import Lister
from vault.opening import refuse_unfinished, usable_limit
from vault.roots import Root, RootState, from_uri
from vault.roots.file import FileRoot
from vault.status import read_status
from vault.storage import checks, migrations, transcripts
from vault.storage import keyring as sql
from vault.storage.engine import Blocking, Store, parse_url
from vault.storage.stores import Stores

_LABELS = ("transcripts", "keyring")
_SAMPLE_USERS, _SAMPLE_SESSIONS, _SAMPLE_MESSAGES = 20, 3, 20
_BY_WEIGHT = (0, 1, 5, 2, 4, 3)  # exit codes, the worst last: integrity above all


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    state: Literal["ok", "warning", "FAILED"]
    says: str
    do: str = ""
    exit_code: int = 0


def worst(findings: list[Finding]) -> int:
    """Give the exit code of the worst failure."""
    return max((one.exit_code for one in findings), key=_BY_WEIGHT.index, default=0)


def _ok(check: str, says: str) -> Finding:
    return Finding(check=check, state="ok", says=says)


def _warning(check: str, says: str, do: str = "") -> Finding:
    return Finding(check=check, state="warning", says=says, do=do)


def _failed(check: str, error: Exception) -> Finding:
    if isinstance(error, VaultError):
        do = "" if "vault doctor" in error.hint else error.hint
        return Finding(check=check, state="FAILED", says=str(error), do=do, exit_code=error.exit_code)
    return Finding(
        check=check,
        state="FAILED",
        says=f"unexpected: {type(error).__name__}",
        do="vault --debug … shows where",
        exit_code=1,
    )


def examine(given: Given) -> Iterator[Finding]:
    """Look at one thing after the other, and go on after a failure."""
    with ExitStack() as stack:
        patient = _Patient(given, stack)
        for check, look in patient.looks():
            try:
                yield from look()
            except Exception as error:
                if given.debug and not isinstance(error, VaultError):
                    raise
                yield _failed(check, error)  # whatever it was: what comes after it is looked at too


class _Patient:
    """A vault, as far as it could be reached."""

    def __init__(self, given: Given, stack: ExitStack) -> None:
        self._given = given
        self._stack = stack
        self._settings: Settings | None = None
        self._reached: dict[str, Store] = {}
        self._root: Root | None = None
        self._state: RootState | None = None

    def looks(self) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
        """Give the steps; the later ones stand on what the first ones reached."""
        yield "settings", self._look_at_settings
        if self._settings is None:
            return
        settings = self._settings
        if settings.policies:
            yield "policies", lambda: _look_at_policies(settings)
        yield "directory", lambda: _look_at_directories(settings)
        yield "transcripts", lambda: self._look_at_database("transcripts", settings.transcripts)
        yield "keyring", lambda: self._look_at_database("keyring", settings.keyring)
        yield "root", lambda: self._look_at_root(settings)
        if self._root is None or self._state is None or len(self._reached) < len(_LABELS):
            yield "vault", lambda: iter([_warning("vault", "the rest was not looked at")])
            return
        whole = _Whole(self._stores(settings, self._root, self._state), self._state, settings)
        yield from whole.looks()

    def _look_at_settings(self) -> Iterator[Finding]:
        self._settings = self._given.settings()
        yield _ok("settings", f"fit together; relative paths start at {self._settings.base}")

    def _look_at_database(self, label: str, url: str) -> Iterator[Finding]:
        store = self._stack.enter_context(closing(open_existing(url, label)))
        store.read(lambda connection: migrations.check(connection, label))
        yield _ok(label, f"answers ({store.dialect}), schema {migrations.HEADS[label]}")
        self._reached[label] = store
        for one in store.read(checks.durable_settings):
            said = f"{one.name} is {one.value}"
            if one.fits:
                yield _ok(label, said)
            else:
                yield Finding(
                    check=label, state="FAILED", says=f"{said}: {one.risk}", do=one.mend, exit_code=1
                )

    def _look_at_root(self, settings: Settings) -> Iterator[Finding]:
        root = from_uri(settings.root, relative_to=str(settings.base))
        self._state, self._root = root.load(), root
        yield _ok("root", f"{root.name} answers")
        for warning in root.warnings():
            yield _warning("root", warning)
        beside = _beside(root, settings)
        if beside:
            yield _warning(
                "root", beside, "move it to another disk or machine, and change root in vault.toml"
            )

    def _stores(self, settings: Settings, root: Root, state: RootState) -> Stores:
        return Stores(
            vault=state.vault,
            transcripts=self._reached["transcripts"],
            keyring=self._reached["keyring"],
            root=root,
            clock=system_clock,
            runtime=Blocking(),
            limit=settings.limit,
            horizon=settings.horizon,
        )


def _look_at_policies(settings: Settings) -> Iterator[Finding]:
    from vault.retention.loading import load

    found = load(settings.policies)
    names = ", ".join(one.name for one in found.policies)
    yield _ok("policies", f"fit together: {names}, with {counted(len(found.rules), 'rule')}")


def _look_at_directories(settings: Settings) -> Iterator[Finding]:
    places = {settings.base} if is_vault(settings.base) else set()
    places |= {file.parent for file in _files(settings)}
    for place in sorted(places):
        mode = place.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            error = GuardedError(f"others may write in {place}", hint=f"chmod go-w {place}")
            yield _failed("directory", error)
        elif mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield _warning("directory", f"others may look into {place}", f"chmod go-rwx {place}")
        else:
            yield _ok("directory", f"{place} is open to its owner alone")


def _files(settings: Settings) -> list[Path]:
    urls = [parse_url(url) for url in (settings.transcripts, settings.keyring)]
    return [Path(url.database or "").absolute() for url in urls if url.get_backend_name() == "sqlite"]


def _beside(root: Root, settings: Settings) -> str:
    """Say where the root is lost, or stolen, together with the databases."""
    data = [file for file in _files(settings) if file.exists()]
    held = [path for path in root.paths if path.exists()] if isinstance(root, FileRoot) else []
    for path in held:
        if path.parent.resolve() in {file.parent.resolve() for file in data}:
            return f"{path} lies in one directory with a database: one copy or theft takes both"
    for path in held:
        if path.stat().st_dev in {file.stat().st_dev for file in data}:
            return f"{path} lies on one device with a database: one snapshot or theft takes both"
    return ""


class _Whole:
    """The three stores together."""

    def __init__(self, stores: Stores, state: RootState, settings: Settings) -> None:
        self._stores = stores
        self._state = state
        self._settings = settings

    def looks(self) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
        """Give the steps."""
        yield "vault", self._look_at_ids
        yield "restore", self._look_at_restore
        yield "generation", self._look_at_generation
        yield "erasures", self._look_at_erasures
        yield "limit", self._look_at_limit
        yield "sample", self._look_at_sample

    def _look_at_ids(self) -> Iterator[Finding]:
        kept = self._stores.keyring.read(sql.read_meta)
        mine = {
            "transcripts": self._stores.transcripts.read(transcripts.read_meta)["vault"],
            "keyring": kept["vault"],
            "root": self._state.vault,
        }
        if len(set(mine.values())) > 1:
            parts = ", ".join(f"{name} of {vault.hex()[:8]}" for name, vault in mine.items())
            raise WrongKeyError(f"these belong to different vaults: {parts}", hint="name those of one vault")
        yield _ok("vault", f"all three stores belong to {self._state.vault.hex()}")
        if self._stores.keyring.read(lambda connection: is_home(self._stores, connection)):
            yield _ok("keyring", "is the one that may change the root")
        else:
            self._stores.keyring.read(lambda connection: require_home(self._stores, connection))

    def _look_at_restore(self) -> Iterator[Finding]:
        refuse_unfinished(self._stores.transcripts, self._stores.keyring)
        yield _ok("restore", "none was interrupted")

    def _look_at_generation(self) -> Iterator[Finding]:
        meta = self._stores.keyring.read(sql.read_meta)
        found = locate(self._state, *sql.split_root(meta["root"]))
        latest = max(one.ordinal for one in self._state.generations)
        if found.ordinal == latest:
            yield _ok("generation", f"keyring and root agree on {latest}")
        else:
            yield _warning(
                "generation",
                f"the keyring stands at {found.ordinal}, the root at {latest}: the next opening repeats"
                " what was erased since",
            )

    def _look_at_erasures(self) -> Iterator[Finding]:
        found = read_status(self._stores)
        if found.unfinished:
            yield _warning(
                "erasures", f"{found.unfinished} unfinished: the next opening at home completes them"
            )
        due = [one for one in found.retired if one.due_at <= datetime.now(UTC)]
        if due:
            yield _warning(
                "erasures", f"{counted(len(due), 'retired generation')} due", "vault keys destroy-due"
            )
        kept = f"{counted(len(found.retired), 'retired generation')} kept"
        yield _ok("erasures", f"{found.provisional} provisional, {kept}")

    def _look_at_limit(self) -> Iterator[Finding]:
        usable, wanted = usable_limit(self._stores.transcripts, self._stores.limit), self._stores.limit
        if usable < wanted:
            yield _warning(
                "limit",
                f"max_allowed_packet leaves room for messages of {usable:,} bytes, not {wanted:,}",
                f"SET GLOBAL max_allowed_packet = {2 * wanted + 2**20}, and in my.cnf; or a lower limit",
            )
        else:
            yield _ok("limit", f"messages of up to {wanted:,} bytes fit")

    def _look_at_sample(self) -> Iterator[Finding]:
        stores = self._stores
        keyring = Keyring(stores)
        sessions = Sessions(stores, keyring, Eraser(stores, Swapper(stores, keyring)))
        lister, reader = Lister(stores, keyring), Reader(stores, sessions)
        users, _ = lister.users_page(0)
        read = opened = 0
        for user in random.sample(users, min(len(users), _SAMPLE_USERS)):
            with suppress(MissingError):  # is being forgotten
                for session in lister.sessions(user)[-_SAMPLE_SESSIONS:]:
                    read += len(reader.messages(user, session.session_id, last=_SAMPLE_MESSAGES))
                    opened += 1
        yield _ok("sample", f"{counted(opened, 'session')} and {counted(read, 'message')} open")
