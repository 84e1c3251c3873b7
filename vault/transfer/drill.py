"""A restore drill: shows that a backup can be restored, and touches neither the root nor the vault.

The backup is copied into a temporary directory and opened there as what it is, a keyring that woke up
elsewhere: it reads, repeats in itself what was erased since, and must not change the root.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from vault.chat.reading import Reader
from vault.chat.sessions import Sessions
from vault.clock import Clock, to_datetime
from vault.config import DEFAULT_HORIZON, is_url, parse_horizon, read_settings
from vault.erasure import Eraser
from vault.errors import StoreUnavailableError
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper, locate
from vault.listing import Lister
from vault.logs import Auditor
from vault.messages import DEFAULT_LIMIT
from vault.opening import make_ready
from vault.roots import Generation, Root, RootState, from_uri
from vault.storage import keyring as sql
from vault.storage import transcripts
from vault.storage.engine import Store, open_store
from vault.storage.runtime import Runtime
from vault.storage.stores import Stores
from vault.transfer.manifest import (
    FILES,
    Manifest,
    aside,
    check_file,
    check_schema,
    open_regular,
    read_manifest,
)
from vault.transfer.reconciling import count_missing, count_unreadable, erased_nodes
from vault.transfer.restore import check_root

T = TypeVar("T")

_NOWHERE = bytes(32)  # the mark of no place


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup, once all that was erased since is erased from the copy of it.

    `unreadable` counts sessions whose keys are not in it, `missing` users and sessions whose rows are not.
    `restorable_until` is when the horizon of its keyring ends. It is None as long as nothing was erased
    since: the horizon has not begun then.
    """

    created_at: datetime
    users: int
    sessions: int
    messages: int
    records: int
    sessions_read: int
    messages_read: int
    erased_again: int
    unreadable: int
    missing: int
    generation: str
    ordinal: int
    within_horizon: bool
    restorable_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """What a drill is held with. `where` and `root` lead to the present root; `sample` is None for all."""

    where: str | os.PathLike[str] | None
    root: str | None
    sample: int | None
    clock: Clock
    runtime: Runtime
    is_async: bool


def drill(source: str | os.PathLike[str], given: Exercise) -> Drill:
    """Open a copy of a backup with the present root, read from it, and say what was found."""
    manifest = read_manifest(Path(source))
    check_schema(manifest)
    root, horizon = _present_root(given)
    check_root(root, manifest)
    state = root.load()
    generation = locate(state, bytes.fromhex(manifest.generation), manifest.ordinal)
    until = _restorable_until(state, generation, horizon)
    with (
        _copied(Path(source), manifest, given.runtime) as copy,
        _opened(copy, manifest, root, given) as stores,
    ):
        keyring = Keyring(stores)
        manifest.check_seal(keyring.service)
        Auditor(stores, keyring).verify()  # a backup whose log was edited is no backup of this vault
        eraser = Eraser(stores, Swapper(stores, keyring))
        erased = erased_nodes(stores.keyring, root)
        came_back = stores.keyring.read(lambda connection: sql.nodes_by_id(connection, erased))
        make_ready(stores, keyring, eraser)
        eraser.sweep_after(0)
        sessions_read, messages_read = _read(stores, keyring, eraser, given.sample)
        return Drill(
            created_at=manifest.created_at,
            sessions_read=sessions_read,
            messages_read=messages_read,
            erased_again=len(came_back),
            unreadable=count_unreadable(stores),
            missing=count_missing(stores),
            generation=manifest.generation,
            ordinal=manifest.ordinal,
            within_horizon=until is None or given.clock() < until,
            restorable_until=None if until is None else to_datetime(until),
            **dict(stores.transcripts.read(lambda connection: list(transcripts.count_all(connection)))),
        )


def _present_root(given: Exercise) -> tuple[Root, int]:
    """Find the root, and the horizon, without opening the vault that they belong to."""
    if given.where is None and given.root is not None:
        return from_uri(given.root), parse_horizon(DEFAULT_HORIZON)
    # The live keyring is not needed, so a vault on a server need not name it.
    beside = {"keyring": "keyring.db"} if given.where is not None and is_url(given.where) else {}
    settings = read_settings(given.where, {"root": given.root, **beside})
    return from_uri(settings.root, relative_to=str(settings.base)), settings.horizon


def _restorable_until(state: RootState, generation: Generation, horizon: int) -> int | None:
    later = [one for one in state.generations if one.ordinal > generation.ordinal]
    if not later:
        return None
    since = generation.retired_at
    return horizon + (min(one.created_at for one in later) if since is None else since)


@contextmanager
def _copied(source: Path, manifest: Manifest, runtime: Runtime) -> Iterator[Path]:
    """Copy a backup to where it may be written to, and make sure that the copy is whole."""

    def copy(directory: Path) -> None:
        for label, name in FILES.items():
            with (
                suppress(FileNotFoundError),  # the check says what is missing
                open_regular(source / name) as file,
                (directory / name).open("wb") as copied,
            ):
                shutil.copyfileobj(file, copied)
            check_file(directory / name, manifest.part(label))

    with tempfile.TemporaryDirectory(prefix="vault-drill-") as made:
        try:
            aside(runtime, lambda: copy(Path(made)))
        except OSError as error:
            raise StoreUnavailableError(
                f"the backup can't be copied for the drill: {error.strerror}",
                hint="TMPDIR names the place for the copy; it needs room for the whole backup",
            ) from error
        yield Path(made)


@contextmanager
def _opened(directory: Path, manifest: Manifest, root: Root, given: Exercise) -> Iterator[Stores]:
    def store(label: str) -> Store:
        url = f"sqlite:///{directory / FILES[label]}"
        return open_store(url, label, given.runtime, is_async=given.is_async)

    vault = bytes.fromhex(manifest.vault)
    stores = Stores(
        vault, store("transcripts"), store("keyring"), root, given.clock, given.runtime, DEFAULT_LIMIT, 0
    )
    try:
        # This place is no keyring's home anyway; nor shall it be one by any chance.
        stores.keyring.write(lambda connection: sql.write_meta(connection, "home", _NOWHERE))
        yield stores
    finally:
        stores.close()


def _read(stores: Stores, keyring: Keyring, eraser: Eraser, sample: int | None) -> tuple[int, int]:
    """Open the name of every user, and the last messages of some sessions; count sessions and messages."""
    lister, sessions = Lister(stores, keyring), Sessions(stores, keyring, eraser)
    reader = Reader(stores, sessions)
    chosen = _some(
        ((user, one.session_id) for user in _some(_users(lister), sample) for one in lister.sessions(user)),
        sample,
    )
    return len(chosen), sum(len(reader.messages(*names, last=sample)) for names in chosen)


def _users(lister: Lister) -> Iterator[str]:
    after: int | None = 0
    while after is not None:
        page, after = lister.users_page(after)
        yield from page


def _some(given: Iterable[T], sample: int | None) -> list[T]:
    """Choose so many at random, all alike likely, from what is never in memory at once."""
    if sample is None:
        return list(given)
    dice, chosen = random.SystemRandom(), list[T]()
    for count, one in enumerate(given):
        if count < sample:
            chosen.append(one)
        elif (place := dice.randrange(count + 1)) < sample:
            chosen[place] = one
    return chosen
