"""Putting a backup back: what is empty is filled, what has content is kept unless it is named.

Everything is checked before anything is changed. Then each store is filled in one transaction, which leaves a
mark in it. A vault with the mark is not served, so after a crash the same restore is repeated. The marks go
last: when all that was erased since the backup is erased again, and all that began since is accounted for.

Other processes must not have the vault open meanwhile: they know seqs that are gone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import Clock
from vault.config import DEFAULT_ROOT, Settings, is_url, is_vault, make_directory, read_settings
from vault.erasure import Eraser
from vault.errors import ConfigError, GuardedError, RootUnavailableError, TamperedError, WrongKeyError
from vault.evidence.entries import Kind as Event
from vault.keys.home import adopt
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper, locate
from vault.opening import make_ready, open_stores, read_facts
from vault.roots import Root, from_uri
from vault.storage import copying, migrations, sweeping, transcripts
from vault.storage import keyring as sql
from vault.storage.engine import Store, open_file, open_store
from vault.storage.runtime import Runtime
from vault.storage.stores import Stores
from vault.transfer.manifest import FILES, Manifest, aside, check_file, check_schema, read_manifest
from vault.transfer.reconciling import count_missing, count_unreadable, erased_nodes, mark_lost

_BESIDE = frozenset({"root.key", ".root.key.lock"})  # what a directory may hold before there is a vault


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did, and what there is now.

    `erased_again` counts users, sessions and epochs that are in the backup and were erased since; `lost`,
    sessions that began since and have no messages here; `unreadable`, sessions whose keys are not here;
    `missing`, users and sessions whose keys are here and whose rows were gone before the backup, or, where
    only a keyring was restored, began after the transcripts: restored again, these account for them.
    """

    created_at: datetime
    filled: list[str]
    users: int
    sessions: int
    messages: int
    records: int
    erased_again: int
    lost: int
    unreadable: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a backup is put back, as in `Vault.open`; `replace` names what may lose its content."""

    where: str | os.PathLike[str] | None
    keyring: str | None
    root: str | None
    horizon: str | None
    replace: Collection[str]
    clock: Clock
    runtime: Runtime
    is_async: bool


@dataclass(frozen=True, slots=True)
class _Backup:
    """A backup that was checked, opened to be read."""

    manifest: Manifest
    files: Mapping[str, Store]


def restore(source: str | os.PathLike[str], target: Target) -> Restored:
    """Put a backup back; say what that did."""
    if not set(target.replace) <= set(FILES):
        raise ConfigError("only transcripts and keyring can be replaced", hint='replace=["transcripts"]')
    with _opened(Path(source), target) as backup, ExitStack() as opened:
        settings = _settle(target, backup.manifest)
        root = from_uri(settings.root, relative_to=str(settings.base))
        present = {
            label: open_store(url, label, target.runtime, is_async=target.is_async)
            for label, url in (("transcripts", settings.transcripts), ("keyring", settings.keyring))
        }
        for store in present.values():
            opened.callback(store.close)
        filled = [
            label for label in FILES if _is_to_be_filled(present[label], target.replace, backup.manifest)
        ]
        if not filled:
            raise GuardedError(
                "both databases hold this vault already; nothing was restored",
                hint="name what may be replaced: transcripts, keyring or both",
            )
        # What was filled before the same restore was interrupted is not filled again: the keyring may have
        # gone on, and let a generation be destroyed that the backup's needs.
        mark = backup.manifest.mark
        empty = [one for one in filled if read_facts(present[one]).get(copying.RESTORING) != mark]
        keyring = backup.files["keyring"] if "keyring" in empty else present["keyring"]
        _check_keys(backup.manifest, keyring, root, target)
        erased = erased_nodes(keyring, root)
        if "keyring" in filled:
            root.require_mirrors()  # which it takes over
        for label in empty:
            _fill(present[label], backup, erased)
        return _bring_up(settings, target, backup, filled, erased)


# -- checking --------------------------------------------------------------------------------------------


@contextmanager
def _opened(source: Path, target: Target) -> Iterator[_Backup]:
    """Check a backup against its own manifest, and open it."""
    manifest = read_manifest(source)
    check_schema(manifest)
    for label, name in FILES.items():
        path, part = source / name, manifest.part(label)
        aside(target.runtime, lambda path=path, part=part: check_file(path, part))  # type: ignore[misc]
    with ExitStack() as opened:
        files = {}
        for label, name in FILES.items():
            files[label] = open_file(source / name, label, target.runtime, is_async=target.is_async)
            opened.callback(files[label].close)
            if read_facts(files[label]).get("vault") != bytes.fromhex(manifest.vault):
                raise TamperedError(f"{name} of this backup is of another vault than its manifest")
        yield _Backup(manifest, files)


def _settle(target: Target, manifest: Manifest) -> Settings:
    """Put the settings together, and make the directory of a new vault once its root is there."""
    where = target.where
    given = {"keyring": target.keyring, "root": target.root, "horizon": target.horizon}
    if where is None or is_url(where) or is_vault(Path(where)):
        settings = read_settings(where, given)
        check_root(from_uri(settings.root, relative_to=str(settings.base)), manifest)
        return settings
    check_root(from_uri(target.root or DEFAULT_ROOT, relative_to=str(where)), manifest)
    make_directory(Path(where), **given, beside=_BESIDE)
    return read_settings(where, given)


def check_root(root: Root, manifest: Manifest) -> None:
    """Make sure that the root is there and belongs to the vault of a backup."""
    if not root.exists():
        raise RootUnavailableError(
            f"the root is not at {root.name}, and without it a backup opens nothing",
            hint="put the root, or one of its mirrors, there first; a backup never holds it",
        )
    if root.load().vault.hex() != manifest.vault:
        raise WrongKeyError(
            f"the root at {root.name} belongs to another vault than this backup",
            hint="name the root of this vault",
        )


def _is_to_be_filled(store: Store, replace: Collection[str], manifest: Manifest) -> bool:
    facts = read_facts(store)
    if facts and facts["vault"].hex() != manifest.vault:
        raise GuardedError(
            f"the {store.label} database belongs to another vault than this backup",
            hint="name the databases of this vault, or empty ones",
        )
    filled = not facts or copying.RESTORING in facts or store.label in replace

    def check(connection: Connection) -> None:
        found = migrations.version(connection, store.label)
        if not filled or (found is not None and found > migrations.HEADS[store.label]):
            migrations.check(connection, store.label)

    if not store.absent:
        store.read(check)
    return filled


def _check_keys(manifest: Manifest, keyring: Store, root: Root, target: Target) -> None:
    """Make sure that the root opens the keyring that there will be, and that this vault made the backup."""
    vault = bytes.fromhex(manifest.vault)
    locate(root.load(), *sql.split_root(read_facts(keyring)["root"]))
    opened = Keyring(Stores(vault, keyring, keyring, root, target.clock, target.runtime, 0, 0))
    manifest.check_seal(opened.service)


# -- filling ---------------------------------------------------------------------------------------------


def _fill(store: Store, backup: _Backup, erased: Sequence[bytes]) -> None:
    """Replace all that a store holds, in one transaction."""
    label, file = store.label, backup.files[store.label]
    last = file.read(lambda connection: copying.last_ids(connection, label))

    def prepare(connection: Connection) -> None:
        found = migrations.version(connection, label)
        if found is None or found < migrations.HEADS[label]:
            migrations.upgrade(connection, label)
        copying.raise_ids(connection, label, last)

    def fill(connection: Connection) -> None:
        # Not by `read`, which would take an error of the store's for one of the file's, and not try again.
        with file.engine.connect() as source:
            copied = copying.copy_all(source, connection, label)
        if copied != backup.manifest.part(label).rows:
            raise TamperedError(f"{FILES[label]} of this backup holds other rows than its manifest says")
        copying.begin_restoring(connection, label, backup.manifest.mark)
        if label == "transcripts":  # nobody comes back, not even for a process that has the vault open (P3)
            sweeping.close_fence(connection, erased)

    store.write(prepare)
    try:
        store.write(fill)
    except IntegrityError:  # without its words, which name what the rows hold
        raise TamperedError(f"the rows of {FILES[label]} in this backup do not belong together") from None


def _bring_up(
    settings: Settings, target: Target, backup: _Backup, filled: Sequence[str], erased: Sequence[bytes]
) -> Restored:
    """Erase again what was erased since, account for what began since, and take the marks away."""
    stores = open_stores(
        settings, target.clock, target.runtime, is_async=target.is_async, create=False, restoring=True
    )
    try:
        keyring = Keyring(stores)
        eraser = Eraser(stores, Swapper(stores, keyring))
        keyring.log.note(Event.RESTORE, filled=list(filled), backup=backup.manifest.created_at)
        if "keyring" in filled:
            adopt(stores)  # said by asking for a restore to this place; an original elsewhere is now a copy
        make_ready(stores, keyring, eraser)
        # All that was ever erased, whatever mark the transcripts carry, and in a copy too.
        eraser.sweep_after(0)
        counts = dict(stores.transcripts.read(lambda connection: list(transcripts.count_all(connection))))
        restored = Restored(
            created_at=backup.manifest.created_at,
            filled=list(filled),
            erased_again=len(backup.files["keyring"].read(lambda c: sql.nodes_by_id(c, erased))),
            lost=0 if "keyring" in filled else mark_lost(stores, keyring, backup.files["keyring"]),
            unreadable=count_unreadable(stores),
            missing=count_missing(stores),
            **counts,
        )
        for label, store in (("transcripts", stores.transcripts), ("keyring", stores.keyring)):
            store.write(lambda connection, label=label: copying.end_restoring(connection, label))  # type: ignore[misc]
        return restored
    finally:
        stores.close()
