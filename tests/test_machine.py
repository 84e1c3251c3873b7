"""A vault and a dictionary, driven side by side through whatever Hypothesis thinks of."""

import copy
import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from unittest import mock

import pytest
from databases import quick_directory
from faces import DAY
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event

from vault import Vault
from vault.errors import (
    KeyringOutdatedError,
    SessionForgottenError,
    TamperedError,
    UnknownError,
    UserForgottenError,
)

USERS = ("anna", "ben", "chen")
SESSIONS = ("first", "second")
FORGOTTEN = "forgotten"

users = st.sampled_from(USERS)
sessions = st.sampled_from(SESSIONS)
crashes = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 12))

State = dict[str, str | dict[str, str | list[str]]]


class KilledError(BaseException):
    """The process ends here; nothing after it runs."""


class VaultMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vault-machine-", dir=quick_directory()))
        self.now = 1_790_000_000_000_000
        self.texts = (f"text {number}" for number in itertools.count())
        self.copies: list[tuple[Path, State, int]] = []
        self.forgotten: list[str] = []  # users of whom something was, in that order
        self.model: State = {}
        self.vault = self.open()

    def open(self) -> Vault:
        return Vault.open(self.directory / "vault", redactor=None, clock=self.clock, horizon="30d")

    def clock(self) -> int:
        self.now += 1000
        return self.now

    def teardown(self) -> None:
        self.vault.close()
        shutil.rmtree(self.directory)

    # -- a change, with or without a kill in its middle -------------------------------------------------

    def change(self, crash: int | None, act: Callable[[], object], expect: Callable[[State], None]) -> None:
        after = copy.deepcopy(self.model)
        expect(after)
        if crash is None:
            act()
            self.model = after
            return
        try:
            with self.killed_after(crash):
                act()
        except KilledError:
            self.vault.close()
            self.vault = self.open()
            seen = self.observe(self.vault)
            assert seen in (flat(self.model), flat(after))
            self.model = self.model if seen == flat(self.model) else after
        else:
            self.model = after

    @contextmanager
    def killed_after(self, steps: int) -> Iterator[None]:
        """End the process, as far as that can be shown in one, at a commit or fsync."""
        left = [steps]

        def step(*_heard: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError

        stores = self.vault._core.stores
        engines = [stores.transcripts.engine, stores.keyring.engine]
        for engine in engines:
            event.listen(engine, "commit", step)
        with mock.patch.object(os, "fsync", step):
            try:
                yield
            finally:
                for engine in engines:
                    event.remove(engine, "commit", step)

    # -- rules ------------------------------------------------------------------------------------------

    @rule(user=users, session=sessions, many=st.integers(1, 3), days=st.integers(0, 1), crash=crashes)
    def append(self, user: str, session: str, many: int, days: int, crash: int | None) -> None:
        self.now += days * DAY
        texts = list(itertools.islice(self.texts, many))
        chat = self.vault.transcript(user, session)
        state = self.model.get(user, {})
        if state == FORGOTTEN or (isinstance(state, dict) and state.get(session) == FORGOTTEN):
            with pytest.raises((UserForgottenError, SessionForgottenError)):
                chat.append("user", texts[0])
            return

        def expect(model: State) -> None:
            kept = session_of(model, user, session)
            kept += texts

        self.change(crash, lambda: chat.extend([{"role": "user", "content": text} for text in texts]), expect)

    @rule(user=users, session=sessions, crash=crashes)
    def pop(self, user: str, session: str, crash: int | None) -> None:
        texts = self.alive(user, session)
        if texts is None:
            return

        def expect(model: State) -> None:
            kept = session_of(model, user, session)
            if kept:
                kept.pop()

        self.change(crash, self.vault.transcript(user, session).pop, expect)

    @rule(user=users, session=sessions, crash=crashes, clear=st.booleans())
    def end_session(self, user: str, session: str, crash: int | None, *, clear: bool) -> None:
        if self.alive(user, session) is None:
            return
        chat = self.vault.transcript(user, session)

        def expect(model: State) -> None:
            state = model.setdefault(user, {})
            assert isinstance(state, dict)
            state.pop(session, None)

        self.change(crash, chat.clear if clear else chat.delete, expect)

    @rule(user=users, crash=crashes, now=st.booleans())
    def forget_user(self, user: str, crash: int | None, *, now: bool) -> None:
        if user not in flat(self.model):
            with suppress(UnknownError):  # the dictionary does not tell who is here without a message
                self.vault.forget_user(user)
                self.model[user] = FORGOTTEN
                self.forgotten.append(user)
            return

        def expect(model: State) -> None:
            model[user] = FORGOTTEN

        self.forgotten.append(user)
        self.change(crash, lambda: self.vault.forget_user(user, now=now), expect)
        if now:
            self.copies.clear()  # older than the horizon, which was cut short

    @rule(user=users, session=sessions, crash=crashes)
    def forget_session(self, user: str, session: str, crash: int | None) -> None:
        state = self.model.get(user, {})
        if not isinstance(state, dict) or not state.get(session):
            return

        def expect(model: State) -> None:
            kept = model[user]
            assert isinstance(kept, dict)
            kept[session] = FORGOTTEN

        self.forgotten.append(user)
        self.change(crash, lambda: self.vault.forget_session(user, session), expect)

    @rule(user=users, crash=crashes)
    def enroll(self, user: str, crash: int | None) -> None:
        def expect(model: State) -> None:
            if model.get(user, FORGOTTEN) == FORGOTTEN:
                model[user] = {}

        self.change(crash, lambda: self.vault.enroll(user), expect)
        self.model.setdefault(user, {})

    @rule()
    def reopen(self) -> None:
        self.vault.close()
        self.vault = self.open()

    @rule()
    def copy_aside(self) -> None:
        target = Path(tempfile.mkdtemp(dir=self.directory)) / "copy"
        self.copies.append((self.copy_to(target), copy.deepcopy(self.model), len(self.forgotten)))

    @precondition(lambda self: self.copies)
    @rule(data=st.data(), which=st.sampled_from(["keyring.db", "transcripts.db"]))
    def restore_an_old_copy_and_put_the_present_one_back(self, data: st.DataObject, which: str) -> None:
        """Whatever an operator puts back: who was forgotten stays so, and nothing false is read."""
        chosen, then, count = data.draw(st.sampled_from(self.copies))
        since = set(self.forgotten[count:])
        self.vault.close()
        present = self.copy_to(self.directory / "present")
        self.put(chosen / which)
        with closing(self.open()) as old:
            old.adopt() if not old.keys_status().is_home else None
            for user in USERS:
                for session in SESSIONS:
                    self.check_old(old, then, user, session, is_gone_since=user in since)
        self.put(present / which)
        shutil.rmtree(present)
        self.vault = self.open()
        if not self.vault.keys_status().is_home:
            self.vault.adopt()

    def check_old(self, old: Vault, then: State, user: str, session: str, *, is_gone_since: bool) -> None:
        truth, before = session_in(self.model, user, session), session_in(then, user, session)
        # Under a keyring that never knew a user nobody can tell which of their sessions were forgotten.
        is_unknown = user not in flat(then) and self.model.get(user) != FORGOTTEN
        try:
            texts = [message.content for message in old.transcript(user, session).messages()]
        except (UserForgottenError, SessionForgottenError):
            # The root remembers; an enrolment since is not there.
            assert FORGOTTEN in (truth, before) or is_gone_since
        except (KeyringOutdatedError, TamperedError):
            assert truth != FORGOTTEN or is_unknown  # came after the copy: said, not hidden
        else:
            assert truth != FORGOTTEN or (is_unknown and texts == [])
            assert texts == truth or texts != [] or truth in ([], FORGOTTEN)

    def copy_to(self, target: Path) -> Path:
        target.mkdir()
        for name in ("keyring.db", "transcripts.db"):
            with (
                closing(sqlite3.connect(self.directory / "vault" / name)) as source,
                closing(sqlite3.connect(target / name)) as copied,
            ):
                source.backup(copied)
        return target

    def put(self, file: Path) -> None:
        """Put a copy in the place of the living file, in the same inode, as a restore in place does."""
        living = self.directory / "vault" / file.name
        for beside in ("-wal", "-shm"):
            living.with_name(living.name + beside).unlink(missing_ok=True)
        living.write_bytes(file.read_bytes())

    # -- looking ----------------------------------------------------------------------------------------

    def alive(self, user: str, session: str) -> list[str] | None:
        state = self.model.get(user, {})
        if not isinstance(state, dict):
            return None
        texts = state.get(session, [])
        return texts if isinstance(texts, list) else None

    def observe(self, vault: Vault) -> State:
        seen: State = {}
        for user in USERS:
            try:
                vault.sessions(user)
            except UserForgottenError:
                seen[user] = FORGOTTEN
                continue
            found: dict[str, str | list[str]] = {}
            for session in SESSIONS:
                try:
                    texts = [str(message.content) for message in vault.transcript(user, session).messages()]
                except SessionForgottenError:
                    found[session] = FORGOTTEN
                else:
                    found[session] = texts
            seen[user] = found
        return flat(seen)

    @invariant()
    def the_vault_holds_what_the_dictionary_holds(self) -> None:
        assert self.observe(self.vault) == flat(self.model)


def flat(model: State) -> State:
    """Leave out what is empty: whether an empty session is listed is another test's matter."""
    filled: State = {}
    for user, state in model.items():
        if isinstance(state, str):
            filled[user] = state
        elif kept := {session: texts for session, texts in state.items() if texts}:
            filled[user] = kept
    return filled


def session_in(model: State, user: str, session: str) -> str | list[str]:
    state = model.get(user, {})
    return state.get(session, []) if isinstance(state, dict) else state


def session_of(model: State, user: str, session: str) -> list[str]:
    state = model.setdefault(user, {})
    assert isinstance(state, dict)
    texts = state.setdefault(session, [])
    assert isinstance(texts, list)
    return texts


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

TestVaultQuick = VaultMachine.TestCase
TestVaultQuick.settings = settings(COMMON, max_examples=4, stateful_step_count=15)


class LongMachine(VaultMachine):
    """The same, for longer."""


TestVaultLong = pytest.mark.slow(LongMachine.TestCase)
TestVaultLong.settings = settings(COMMON, max_examples=80, stateful_step_count=40)
