"""Putting a backup back: what is empty is filled, what has content is kept unless it is named.

Everything is checked before anything is changed. Then each store is replaced in one transaction, which leaves a
mark in it; a vault with the mark is not served, so whatever crashes, the same restore is repeated. The mark
goes last, when everything that was erased since the backup is erased again and what was begun since is
accounted for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from vault.clock import Clock
from vault.config import DEFAULT_ROOT, Settings, is_url, is_vault, make_directory, read_settings
from vault.erasure import Eraser
from vault.errors import ConfigError, GuardedError, RootUnavailableError, TamperedError, WrongKeyError
from vault.keys.home import adopt
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper, locate
from vault.opening import make_ready, open_stores, read_facts
from vault.roots import Root, from_uri
from vault.storage import copying, migrations, transcripts
from vault.storage import keyring as sql
from vault.storage.engine import Runtime, Store, open_store
from vault.storage.stores import Stores
from vault.transfer.manifest import FILES, Manifest
from vault.transfer.opened import OpenedBackup, open_backup
from vault.transfer.reconciling import count_unreadable, mark_lost

_BESIDE = frozenset({"root.key", ".root.key.lock"})  # what may be in a directory before the vault is


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did.

    `erased_again` are sessions that were erased since the backup and came back with it; `lost` are users and
    sessions that began since, of which the restored transcripts know nothing; `unreadable` are sessions whose
    keys the restored keyring does not have.
    """

    created_at: datetime
    replaced: list[str]
    users: int
    sessions: int
    messages: int
    erased_again: int
    lost: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a backup is put back, as in `Vault.open`; `replace` names stores that may lose their content."""

    where: str | os.PathLike[str] | None
    keyring: str | None
    root: str | None
    horizon: str | None
    replace: Collection[str]
    clock: Clock
    runtime: Runtime
    is_async: bool


def restore(source: str | os.PathLike[str], place: Place) -> Restored:
    """Put a backup back; say what that did."""
    unknown = sorted(set(place.replace) - set(FILES))
    if unknown:
        raise ConfigError("only transcripts and keyring can be replaced", hint='replace=["transcripts"]')
    with ExitStack() as opened:
        backup = opened.enter_context(open_backup(Path(source), place.runtime, is_async=place.is_async))
        settings = _settle(place, backup.manifest)
        root = from_uri(settings.root, relative_to=str(settings.base))
        present = {}
        for label in FILES:
            url = getattr(settings, label)
            present[label] = open_store(url, label, place.runtime, is_async=place.is_async)
            opened.callback(present[label].close)
        filled = _choose(present, place.replace, backup.manifest)
        _check_keys(backup, present, filled, root, place)
        erased = _erased(backup.keyring if "keyring" in filled else present["keyring"], root)
        for label in filled:
            _fill(present[label], backup, erased)
    return _bring_up(settings, place, backup, filled, erased)
