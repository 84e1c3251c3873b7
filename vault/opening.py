"""Opening a vault: make the stores when they are new, check that they belong together, repeat and complete.

Nothing is served before an older keyring has repeated what its root remembers, and before an interrupted
erasure is taken up (P3, P8).
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vault.clock import Clock, to_datetime
from vault.config import DEFAULT_ROOT, Settings, as_url, is_url, is_vault, make_directory
from vault.crypto.envelope import random_id
from vault.crypto.tree import TOPS, Kind, Node, slot
from vault.erasure import Eraser
from vault.errors import (
    ConfigError,
    KeyringOutdatedError,
    RootUnavailableError,
    StoreUnavailableError,
    TamperedError,
    WrongKeyError,
)
from vault.evidence.certificate import Certificate, Record, Status, Why
from vault.evidence.entries import Act, Draft
from vault.evidence.entries import Kind as Event
from vault.evidence.log import Log
from vault.keys.home import is_home, place
from vault.keys.ring import Keyring
from vault.keys.slots import fresh, wrap_top
from vault.keys.swap import locate
from vault.redaction import Redactor, SessionRedactor
from vault.roots import UNCLAIMED, Erased, Generation, Root, RootState, from_uri
from vault.saying import Unsaid
from vault.storage import erasures, migrations, transcripts
from vault.storage import keyring as sql
from vault.storage import runs as runs_sql
from vault.storage.copying import RESTORING
from vault.storage.engine import Store, open_store, packet_limit, parse_url
from vault.storage.runtime import Runtime
from vault.storage.stores import Stores

PolicyPaths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a vault is opened with."""

    where: str | os.PathLike[str] | None
    keyring: str | None
    root: str | None
    redactor: Redactor | SessionRedactor | Unsaid | None
    horizon: str | None
    limit: int | None
    policies: PolicyPaths | None
    clock: Clock
    create: bool

    @property
    def explicit(self) -> dict[str, object]:
        """Give the settings that were said here, which count before those of vault.toml."""
        return {
            "keyring": self.keyring,
            "root": self.root,
            "horizon": self.horizon,
            "limit": self.limit,
            "policies": self.policies,
        }

    def make_place(self) -> None:
        """Make the directory of a new vault. What can't be right is refused before vault.toml says it."""
        if not self.create or self.where is None or is_url(self.where) or is_vault(Path(self.where)):
            return
        directory = Path(self.where)
        root = from_uri(DEFAULT_ROOT if self.root is None else self.root, relative_to=str(self.where))
        root.require_place(directory)
        parse_url(as_url(self.keyring or "", directory))
        make_directory(directory, keyring=self.keyring, root=self.root, horizon=self.horizon)


_SQL_SHARE = 65_536  # what a statement needs beside a body


class _Found(enum.Enum):
    """What lies where a vault is looked for."""

    NOTHING = enum.auto()
    VAULT = enum.auto()


def open_stores(  # noqa: PLR0913 (what it takes to open a vault)
    settings: Settings,
    clock: Clock,
    runtime: Runtime,
    *,
    is_async: bool,
    create: bool,
    restoring: bool = False,
) -> Stores:
    """Open the three stores of one vault; make them where nothing is yet and `create` is said."""
    root = from_uri(settings.root, relative_to=str(settings.base))
    messages = open_store(settings.transcripts, "transcripts", runtime, is_async=is_async)
    keys = open_store(settings.keyring, "keyring", runtime, is_async=is_async)
    with ExitStack() as undone:
        undone.callback(messages.close)
        undone.callback(keys.close)
        if not restoring:
            refuse_unfinished(messages, keys)
        if _look(messages, keys, root, create=create) is _Found.NOTHING:
            _make(messages, keys, root, clock())
        for store in (messages, keys):
            store.read(lambda connection, store=store: migrations.check(connection, store.label))  # type: ignore[misc]
        vault = _agreed_vault(messages, keys, root)
        limit = usable_limit(messages, settings.limit)
        undone.pop_all()
    return Stores(vault, messages, keys, root, clock, runtime, limit, settings.horizon)


def refuse_unfinished(*stores: Store) -> None:
    """Raise where a restore has filled one database and not come to its end."""
    for store in stores:
        if RESTORING in read_facts(store):
            raise StoreUnavailableError(
                f"the restore of the {store.label} database was interrupted", hint="repeat vault restore"
            )


def read_facts(store: Store) -> dict[str, bytes]:
    """Give a store's own facts; none where it holds no vault, or is a file that is not there."""
    if store.absent:
        return {}

    def work(connection: Connection) -> dict[str, bytes]:
        if migrations.version(connection, store.label) is None:
            return {}
        read = sql.read_meta if store.label == "keyring" else transcripts.read_meta
        return read(connection)

    return store.read(work)


def _look(messages: Store, keys: Store, root: Root, *, create: bool) -> _Found:
    """Tell a new place, or one whose making was interrupted, from a vault that has lost a part.

    Looked at from the end: whoever else is making it just now sets the root first and the transcripts last.
    """
    has_messages = bool(read_facts(messages))
    is_claimed = root.exists() and root.load().holder != UNCLAIMED
    if read_facts(keys):
        if not root.exists():
            raise RootUnavailableError(
                f"the root is not at {root.name}", hint="put it back, or name one of its mirrors"
            )
        if has_messages:
            return _Found.VAULT
        if keys.read(sql.count_nodes).get(Kind.USER, 0) and not read_facts(messages):
            _refuse_absent(messages, "vault restore puts a copy back")
            raise ConfigError(
                "the transcripts database is empty, the keyring is not", hint="vault restore puts a copy back"
            )
    elif has_messages:
        _refuse_absent(keys, "put back the latest keyring")
        raise KeyringOutdatedError(
            "the keyring database is empty, the transcripts are not", hint="put back the latest keyring"
        )
    elif is_claimed:
        raise ConfigError(
            f"the root at {root.name} belongs to a vault that is not here",
            hint="put its databases back, or name another root",
        )
    if not create:
        for store in (messages, keys):
            if store.absent and not Path(store.absent).parent.is_dir():
                _refuse_absent(store, "mount its disk")
        raise ConfigError("there is no vault here", hint="vault init makes one")
    return _Found.NOTHING


def _refuse_absent(store: Store, mend: str) -> None:
    """Raise where a part of a vault is a file that is not there: it is gone, or named wrongly."""
    if store.absent:
        raise StoreUnavailableError(
            f"there is no {store.label} database at {store.absent}", hint=f"name the right file, or {mend}"
        )


def _make(messages: Store, keys: Store, root: Root, at: int) -> None:
    """Make a new vault. Each step may already have been taken, before a crash or by another process."""
    for store in (messages, keys):
        store.write(lambda connection, store=store: migrations.upgrade(connection, store.label))  # type: ignore[misc]
    state = _made_root(root, at)
    with suppress(IntegrityError):  # another process was faster
        keys.write(lambda connection: _plant_tops(connection, keys, root, state, at))
    facts = read_facts(keys)
    if (state.vault, state.holder) == (facts["vault"], UNCLAIMED):
        root.claim(facts["holder"])  # from here on no other vault is made on this root

    def note(connection: Connection) -> None:
        if not transcripts.read_meta(connection):
            first = state.generations[0].ordinal.to_bytes(8, "big")
            transcripts.add_meta(connection, {"vault": facts["vault"], "erased": first})

    with suppress(IntegrityError):
        messages.write(note)


def _made_root(root: Root, at: int) -> RootState:
    if not root.exists():
        try:
            root.create(random_id(), UNCLAIMED, at)
        except ConfigError:
            if not root.exists():
                raise
    return root.load()


def _plant_tops(connection: Connection, keys: Store, root: Root, state: RootState, at: int) -> None:
    if sql.read_meta(connection):
        return
    first = state.generations[0]
    sql.set_root(connection, first.id, first.ordinal)
    facts = {"vault": state.vault, "holder": random_id(), "home": place(connection)}
    for name, value in facts.items():
        sql.write_meta(connection, name, value)
    tops, service = [], b""
    for kind in TOPS:
        opened = fresh()
        service = opened.key if kind is Kind.SERVICE else service
        bare = Node(opened.id, first.id, kind, 0, slot(kind), b"")
        tops.append(wrap_top(root, state.vault, first.id, bare, opened.key))
    sql.insert_nodes(connection, tops)
    log = Log(keys, state.vault, lambda: service, lambda: at)
    log.begin(connection, [log.draft(Event.CREATE, generation=first.id.hex())])


def _agreed_vault(messages: Store, keys: Store, root: Root) -> bytes:
    vault = read_facts(keys)["vault"]
    if read_facts(messages)["vault"] != vault:
        raise WrongKeyError(
            "this keyring belongs to other transcripts", hint="name the keyring of this vault"
        )
    if root.load().vault != vault:
        raise WrongKeyError(
            f"the root at {root.name} belongs to another vault", hint="name the root of this vault"
        )
    return vault


def usable_limit(messages: Store, limit: int) -> int:
    """Keep a body within what the server takes: MariaDB's driver writes a byte as up to two."""
    packet = messages.read(packet_limit)
    return limit if packet is None else min(limit, (packet - _SQL_SHARE) // 2)


def make_ready(stores: Stores, keyring: Keyring, eraser: Eraser) -> RootUnavailableError | None:
    """Bring an opened vault to the state in which it may serve.

    Give what an erasure waits for where the root can't be changed now: it refuses whom it takes, and nobody
    else.
    """
    generation, waits = _located(stores), None
    keyring.holds.recall()
    if any(one.ordinal > generation.ordinal for one in stores.root.load().generations):
        waits = _repeat(stores, keyring, eraser, generation)
    if stores.keyring.read(lambda connection: is_home(stores, connection)):
        if waits is None:
            waits = eraser.take_up_as_far_as_can_be()
        end_silent(stores, keyring)
        mark = int.from_bytes(read_facts(stores.transcripts)["erased"], "big")
        if mark < stores.keyring.read(erasures.swept_through):
            eraser.sweep_after(mark)
    return waits


def end_silent(stores: Stores, keyring: Keyring) -> int:
    """Complete in the log what a crash ended, as that (P6); count it."""

    def work(connection: Connection) -> int:
        ended = keyring.log.end_silent(connection)
        runs = [act.id for act in ended if act.kind == Event.PURGE_RUN]
        if runs:
            from vault.retention.report import RunRecords  # noqa: PLC0415 (only where a run was interrupted)

            records = RunRecords(lambda: keyring.service)
            for row in runs_sql.find_runs(connection, runs):
                records.interrupt(connection, row)
        return len(ended)

    if not stores.keyring.read(keyring.log.acts.silent):
        return 0
    return stores.keyring.write(work)


def _located(stores: Stores) -> Generation:
    """Find the keyring's generation; look twice, for a swap may fall between keyring and root."""
    for last in (False, True):
        generation, ordinal = sql.split_root(read_facts(stores.keyring)["root"])
        try:
            return locate(stores.root.load(), generation, ordinal)
        except (KeyringOutdatedError, WrongKeyError):
            if last:
                raise
    raise AssertionError("unreachable")


def _repeat(
    stores: Stores, keyring: Keyring, eraser: Eraser, generation: Generation
) -> RootUnavailableError | None:
    """An older keyring was restored: erase again what its root remembers, so that nobody comes back.

    A staged generation counts too: the keyring that named it may be what was lost. Where the root can't be
    changed now, the keyring is what a copy is, until an opening at which it can.
    """
    later = [one for one in stores.root.load().generations if one.ordinal > generation.ordinal]
    journal = [(one.ordinal, erased) for one in later for erased in one.erased]

    def record(connection: Connection) -> None:
        once = {erased.intent: erased for _, erased in journal}.values()
        missed = [erased for erased in once if not erasures.knows_intent(connection, erased.intent)]
        certificates = [_certificate(stores, erased) for erased in missed]
        for erased, certificate in zip(missed, certificates, strict=True):
            keyring.records.add(connection, _intent(erased, certificate))
        keyring.log.add(connection, [keyring.log.erasure(certificate) for certificate in certificates])

    # Another process may be at it, and is then done; twice in a row is something else.
    if not any(_is_written(stores.keyring, record) for _ in range(2)):
        raise TamperedError("the parts of the keyring are of different ages", hint="put back a whole keyring")
    waits = None
    if stores.keyring.read(lambda connection: is_home(stores, connection)):
        try:
            eraser.repeat([erased for _, erased in journal])
        except RootUnavailableError as error:
            waits = error
        else:
            return None
    stores.keyring.write(lambda connection: _drop(connection, keyring, journal))
    return waits


def _is_written(store: Store, work: Callable[[Connection], None]) -> bool:
    with suppress(IntegrityError):
        store.write(work)
        return True
    return False


def _drop(connection: Connection, keyring: Keyring, journal: Sequence[tuple[int, Erased]]) -> None:
    """Take the erased nodes out of a copy, without a swap: its original's root stays untouched."""
    rows = keyring.records.find(connection, [erased.intent for _, erased in journal])
    drafts: dict[bytes, Draft] = {}
    for ordinal, erased in journal:
        row = rows[erased.intent]
        if row.phase is not erasures.Phase.BEGUN:
            continue
        sql.delete_subtrees(connection, sql.nodes_by_id(connection, erased.nodes).values())
        keyring.records.update(connection, [replace(row, phase=erasures.Phase.CUT, ordinal=ordinal)])
        if Why(erased.kind).leaves_tombstone:
            keyring.tombstones.bury(connection, row, erased.pseudonym, erased.at)
        act = Act(erased.intent, erased.kind, erased.pseudonym)
        drafts[erased.intent] = keyring.log.completion(act, taken_out_of_a_copy=True)
    keyring.log.add(connection, list(drafts.values()))


def _certificate(stores: Stores, erased: Erased) -> Certificate:
    return Certificate(
        id=erased.intent.hex(),
        vault=stores.vault.hex(),
        kind=Why(erased.kind),
        pseudonym=erased.pseudonym,
        status=Status.REQUESTED,
        sessions=0,
        messages=0,
        reason="repeated from the root's journal after an older keyring was restored",
        actor="vault",
        requested_at=to_datetime(erased.at),
    )


def _intent(erased: Erased, certificate: Certificate) -> erasures.IntentRow:
    record = Record(certificate=certificate).encode()
    begun, nodes = erasures.Phase.BEGUN, tuple(sorted(erased.nodes))
    return erasures.IntentRow(erased.intent, erased.kind, begun, None, erased.slot, record, nodes)
