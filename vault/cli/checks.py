"""What `vault doctor` looks at, step by step. Nothing is changed, repeated or completed by looking."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime

from vault.chat.reading import Reader
from vault.chat.sessions import Sessions
from vault.cli.bedside import Bedside, Mend
from vault.cli.findings import Finding, failed, ok, unexpected, warning
from vault.cli.given import Given, open_existing
from vault.cli.mending import mend, mend_foreign, mend_rights, mend_setting, server_option
from vault.cli.mending_root import mend_root_warning
from vault.cli.places import look_at_directories, look_beside, unreachable
from vault.cli.talking import counted
from vault.clock import system_clock
from vault.config import Settings
from vault.erasure import Eraser
from vault.errors import MissingError, RootUnavailableError, StoreUnavailableError, VaultError, WrongKeyError
from vault.keys.home import is_home, require_home
from vault.keys.ring import Keyring
from vault.keys.swap import Swapper, locate
from vault.listing import Lister
from vault.opening import refuse_unfinished, usable_limit
from vault.roots import Root, RootState, from_uri
from vault.status import read_status
from vault.storage import checks, migrations, schema, transcripts
from vault.storage import keyring as sql
from vault.storage.engine import Store
from vault.storage.runtime import Blocking
from vault.storage.stores import Stores

_TABLES = {"transcripts": schema.transcripts.sorted_tables, "keyring": schema.keyring.sorted_tables}
_SAMPLE_USERS, _SAMPLE_SESSIONS, _SAMPLE_MESSAGES = 20, 3, 20


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
                yield patient.told(check, error)  # whatever it was: what comes after it is looked at too


class _Patient:
    """A vault, as far as it could be reached."""

    def __init__(self, given: Given, stack: ExitStack) -> None:
        self._given = given
        self._stack = stack
        self._settings: Settings | None = None
        self._reached: dict[str, Store] = {}
        self._root: Root | None = None
        self._state: RootState | None = None

    @property
    def _at(self) -> Bedside:
        return Bedside(self._given, self._settings)

    def told(self, check: str, error: Exception) -> Finding:
        """Say what an error means here."""
        if isinstance(error, OSError) and error.filename:
            return unreachable(check, error, self._at)
        if not isinstance(error, VaultError):
            return unexpected(check, error, self._given.command)
        return failed(check, error, mend(check, error, self._at, self._root))

    def looks(self) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
        """Give the steps; the later ones stand on what the first ones reached."""
        yield "settings", self._look_at_settings
        if self._settings is None:
            return
        settings = self._settings
        if settings.policies:
            yield "policies", lambda: _look_at_policies(settings)
        yield "directory", lambda: look_at_directories(settings, self._at)
        yield "transcripts", lambda: self._look_at_database("transcripts", settings.transcripts)
        yield "keyring", lambda: self._look_at_database("keyring", settings.keyring)
        yield "root", lambda: self._look_at_root(settings)
        if self._root is None or self._state is None or len(self._reached) < len(_TABLES):
            rest = "the rest is looked at when what failed is mended"
            yield "vault", lambda: iter([Finding(check="vault", state="skipped", says=rest)])
            return
        whole = _Whole(self._stores(settings, self._root, self._state), self._state, self._at)
        yield from whole.looks()

    def _look_at_settings(self) -> Iterator[Finding]:
        self._settings = self._given.settings()
        yield ok("settings", f"fit together; relative paths start at {self._settings.base}")

    def _look_at_database(self, label: str, url: str) -> Iterator[Finding]:
        store = self._stack.enter_context(closing(open_existing(url, label)))
        store.read(lambda connection: migrations.check(connection, label))
        yield ok(label, f"answers ({store.dialect}), schema {migrations.HEADS[label]}")
        if store.dialect != "sqlite":  # which opens no file that it may not write
            try:
                store.write(lambda connection: checks.write_nothing(connection, _TABLES[label]))
            except StoreUnavailableError as error:
                yield failed(label, error, mend_rights(label, url, self._at))
        self._reached[label] = store
        for one in store.read(checks.durable_settings):
            said = f"{one.name} is {one.value}"
            if one.fits:
                yield ok(label, said)
            else:
                yield failed(label, VaultError(said), Mend(one.risk, mend_setting(one, url)))

    def _look_at_root(self, settings: Settings) -> Iterator[Finding]:
        self._root = root = from_uri(settings.root, relative_to=str(settings.base))
        self._state = root.load()
        yield ok("root", f"{root.name} answers")
        beside = list(look_beside(root, settings, self._at))
        hindrances = root.hindrances()
        for said in hindrances:
            yield failed("root", RootUnavailableError(said), mend_root_warning(said, self._at, root))
        for said in root.warnings():
            if said in hindrances:
                continue
            if not (beside and "no mirror" in said):  # what mends the one mends the other
                yield warning("root", said, mend_root_warning(said, self._at, root))
        yield from beside

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
    yield ok("policies", f"fit together: {names}, with {counted(len(found.rules), 'rule')}")


class _Whole:
    """The three stores together."""

    def __init__(self, stores: Stores, state: RootState, at: Bedside) -> None:
        self._stores = stores
        self._state = state
        self._at = at

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
            error = WrongKeyError(f"these belong to different vaults: {parts}")
            alone = [name for name, vault in mine.items() if list(mine.values()).count(vault) == 1]
            odd = alone[0] if len(alone) == 1 else None
            yield failed("vault", error, mend_foreign(odd, self._at, self._stores.root))
            return
        yield ok("vault", f"all three stores belong to {self._state.vault.hex()}")
        if self._stores.keyring.read(lambda connection: is_home(self._stores, connection)):
            yield ok("keyring", "is the one that may change the root")
        else:
            self._stores.keyring.read(lambda connection: require_home(self._stores, connection))

    def _look_at_restore(self) -> Iterator[Finding]:
        refuse_unfinished(self._stores.transcripts, self._stores.keyring)
        yield ok("restore", "none was interrupted")

    def _look_at_generation(self) -> Iterator[Finding]:
        meta = self._stores.keyring.read(sql.read_meta)
        found = locate(self._state, *sql.split_root(meta["root"]))
        latest = max(one.ordinal for one in self._state.generations)
        if found.ordinal == latest:
            yield ok("generation", f"keyring and root agree on {latest}")
        else:
            says = f"the keyring stands at {found.ordinal}, the root at {latest}"
            why = "it is an older one: what was erased since is erased again at the next opening"
            yield warning("generation", says, Mend(why, self._at.vault("keys destroy-due")))

    def _look_at_erasures(self) -> Iterator[Finding]:
        found = read_status(self._stores)
        complete = self._at.vault("keys destroy-due")
        if found.unfinished:
            why = "somebody was promised an erasure; the next opening at home completes it"
            says, hindrances = f"{found.unfinished} unfinished", self._stores.root.hindrances()
            if hindrances:
                why = "somebody was promised an erasure: mend the root, then it is completed"
                yield failed("erasures", RootUnavailableError(says), Mend(why, complete))
            else:
                yield warning("erasures", says, Mend(why, complete))
        due = [one for one in found.retired if one.due_at <= datetime.now(UTC)]
        if due:
            why = "until they are destroyed, old copies of the keyring open what was erased; a daemon does it"
            yield warning("erasures", f"{counted(len(due), 'retired generation')} due", Mend(why, complete))
        kept = f"{counted(len(found.retired), 'retired generation')} kept"
        yield ok("erasures", f"{found.provisional} provisional, {kept}")

    def _look_at_limit(self) -> Iterator[Finding]:
        usable, wanted = usable_limit(self._stores.transcripts, self._stores.limit), self._stores.limit
        if usable < wanted:
            says = f"max_allowed_packet leaves room for messages of {usable:,} bytes, not {wanted:,}"
            do = server_option("max_allowed_packet", 2 * wanted + 2**20)
            yield warning("limit", says, Mend("larger messages are refused", do))
        else:
            yield ok("limit", f"messages of up to {wanted:,} bytes fit")

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
        yield ok("sample", f"{counted(opened, 'session')} and {counted(read, 'message')} open")
