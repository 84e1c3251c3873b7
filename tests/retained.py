"""A world under retention rules: a vault beside a plain list of what was said, and the rules' verdicts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faces import DAY
from world import World

from vault import Vault
from vault.clock import from_datetime
from vault.errors import SessionForgottenError, UserForgottenError
from vault.keys.holds import HoldRow
from vault.retention.classes import labels_of
from vault.retention.deciding import Fact, decide
from vault.retention.holding import as_holds
from vault.retention.loading import load
from vault.retention.report import RunResult

HOUR = DAY // 24
HEAD = """\
version: 1
policy: {name}
limits: {{max_fraction: 100%}}
classes:
"""
RULES = {
    "plain": """
  - name: tool
    match: {role: tool}
    keep: {at_most: 6h}
  - name: default
    keep: {at_most: 9d}
""",
    "by session": """
  - name: support
    match: {namespace: "support/*"}
    keep: {at_most: 8d, count_from: last-message}
  - name: begun
    match: {role: assistant}
    keep: {at_most: 10d, count_from: session-start}
  - name: default
    keep: {at_least: 3d, at_most: 20d}
""",
    "short": """
  - name: default
    keep: {at_most: 2d}
""",
    "long": """
  - name: tool
    match: {role: tool}
    keep: {at_most: 12d}
  - name: default
    keep: {at_most: 1mo}
""",
    "labels": """
  - name: marked
    match: {metadata: {kind: [brief, "1"]}}
    keep: {at_most: 3d}
  - name: default
    keep: {at_most: 15d}
""",
    "redacted": """
  - name: default
    keep: {at_most: 7d}
    then: keep-redacted
originals: {keep: 30d}
""",
}


def policy(rules: str, name: str = "test") -> str:
    return HEAD.format(name=name) + RULES[rules].lstrip("\n")


@dataclass(frozen=True)
class Said:
    """One message, as the world remembers it."""

    user: str
    session: str
    seq: int
    role: str
    at: int
    labels: dict[str, object]
    text: str

    @property
    def namespace(self) -> str:
        return "support/eu" if self.session.endswith("2") else ""


@dataclass
class Retained(World):
    """A world whose vault has policies."""

    file: Path = Path()
    said: list[Said] = field(default_factory=list)
    purged: list[Said] = field(default_factory=list)
    rules: str = "plain"
    went: int = 0

    def __post_init__(self) -> None:
        self.file = self.root.with_name("policy.yaml")
        self.write(self.rules)
        super().__post_init__()

    def write(self, rules: str) -> None:
        self.rules = rules
        self.file.write_text(policy(rules))

    def open(self, **settings: Any) -> Vault:
        return super().open(policies=self.file, **settings)

    def edit(self, rules: str) -> None:
        """Change the file, and start again with it."""
        self.write(rules)
        self._start_again()

    def under(self, classes: str) -> None:
        """Start again under rules of a test's own."""
        self.follow(HEAD.format(name="own") + classes)

    def follow(self, text: str) -> None:
        """Start again under a file of a test's own."""
        self.file.write_text(text)
        self._start_again()

    def begin(self, classes: str, pace: int = 0) -> None:
        """Let two users talk under rules of a test's own."""
        self.under(classes)
        for user in ("anna", "ben"):
            for _ in range(5):
                self.say(user, "s-1")
                self.clock.now += pace

    def _start_again(self) -> None:
        self.vault.close()
        self.vault = self.open()

    # -- what is said -----------------------------------------------------------------------------------

    def say(self, user: str, session: str, role: str = "user", label: str = "") -> Said:
        text = next(self.texts)
        labels: dict[str, object] = {"kind": label} if label else {}
        namespace = "support/eu" if session.endswith("2") else ""
        message = {"role": role, "content": text, "metadata": labels}
        chat = self.vault.transcript(user, session, namespace=namespace)
        try:
            stored = chat.extend([message])[0]
        except UserForgottenError:
            self.vault.enroll(user)
            stored = chat.extend([message])[0]
        except SessionForgottenError:
            self.vault.enroll(user, session)
            stored = chat.extend([message])[0]
        assert stored.created_at is not None
        assert stored.seq is not None
        one = Said(user, session, stored.seq, role, from_datetime(stored.created_at), labels, text)
        self.said.append(one)
        return one

    def lose(self, user: str, session: str | None = None) -> None:
        """Note that somebody erased on request."""
        for listed in (self.said, self.purged):
            gone = [one for one in listed if one.user == user and session in {None, one.session}]
            self.erased |= {one.text for one in gone}
            listed[:] = [one for one in listed if one not in gone]

    # -- what the rules say -----------------------------------------------------------------------------

    def due(self, now: int) -> list[Said]:
        """Say what goes now: each message by itself, by the rules and the holds."""
        policies = load([self.file])
        found = []
        for one in self.said:
            beside = [other for other in self.said if (other.user, other.session) == (one.user, one.session)]
            before = [
                other for other in self.purged if (other.user, other.session) == (one.user, one.session)
            ]
            fact = Fact(
                user=self.node(one.user),
                session=self.node(one.user, one.session),
                namespace=one.namespace,
                role=one.role,
                messages=1,
                bytes=1,
                oldest=one.at,
                newest=one.at,
                session_start=min(other.at for other in (*beside, *before)),
                last_activity=max(other.at for other in beside),
                labels=labels_of(one.labels, policies),
            )
            if decide(policies, fact, as_holds(self.held()), now).goes:
                found.append(one)
        return found

    def held(self) -> list[HoldRow]:
        """Give the holds in force."""
        core = self.vault._core
        return core.stores.keyring.read(lambda c: core.keyring.holds.in_force(c, self.clock()))

    def hold(self, user: str, session: str | None = None) -> str:
        return self.vault.hold(user, session, reason="a case").id

    def release(self) -> None:
        """End every hold."""
        for one in self.held():
            self.vault.release(one.id.hex(), reason="closed")

    def node(self, user: str, session: str | None = None) -> bytes:
        core = self.vault._core
        known = core.keyring.find_user(user)
        assert known
        if session is None:
            return known.node
        opened = core.keyring.find_session(known, session)
        assert opened
        return opened.id

    def purge(self) -> RunResult:
        """Run the policies, and compare with each message's own verdict."""
        planned = self.vault.purge(dry_run=True)
        ran = self.vault.purge()
        gone = self.due(from_datetime(ran.now))
        assert planned.messages == ran.messages == len(gone)
        assert planned.sessions == ran.sessions
        assert [one.goes for one in planned.classes] == [one.goes for one in ran.classes]
        self.went += len(gone)
        self.purged += gone
        self.said = [one for one in self.said if one not in gone]
        self.check()
        return ran

    def check(self) -> None:
        """Read everything: what must be there is there, what is purged is counted."""
        names = {(one.user, one.session) for one in (*self.said, *self.purged)}
        for user, session in names:
            found = self.vault.transcript(user, session).messages()
            mine = [one for one in self.said if (one.user, one.session) == (user, session)]
            assert [(one.seq, one.content) for one in found] == [(one.seq, one.text) for one in mine]
            gone = [one for one in self.purged if (one.user, one.session) == (user, session)]
            assert found.purged == len(gone)

    def check_copies(self) -> None:
        """An attacker with all copies and the present root opens what lives, nothing that went (P3)."""
        self.vault.destroy_due(now=True)
        thief = self.attacker()
        thief.take_keyrings([*self.keyrings, self.databases.dump(self.databases.keyring)])
        present = self.databases.dump(self.databases.transcripts)
        opened = set().union(*(thief.read(copy) for copy in (*self.transcripts, present)))
        gone = {one.text for one in self.purged} | self.erased
        alive = {one.text for one in self.said}
        assert opened & gone == set()
        assert alive <= opened

    # -- by chance --------------------------------------------------------------------------------------

    def step(self, dice: random.Random) -> None:
        user, session = f"user-{dice.randrange(3)}", f"s-{dice.randrange(3)}"
        match dice.choices(
            ["say", "wait", "purge", "edit", "forget", "forget session", "clear", "pop", "hold", "release"],
            [40, 12, 10, 4, 1, 1, 1, 2, 2, 4],
        )[0]:
            case "say":
                self.say(
                    user, session, dice.choice(["user", "assistant", "tool"]), dice.choice(["", "brief"])
                )
            case "wait":
                self.clock.now += dice.choice([HOUR, 5 * HOUR, DAY, 2 * DAY, 4 * DAY])
            case "purge":
                self.purge()
            case "edit":
                self.edit(dice.choice(list(RULES)))
            case "forget" if any(one.user == user for one in self.said) and not self.held():
                self.vault.forget_user(user)
                self.lose(user)
            case "forget session" if (
                any((one.user, one.session) == (user, session) for one in self.said) and not self.held()
            ):
                self.vault.forget_session(user, session)
                self.lose(user, session)
            case "clear" if not self.held():
                if any((one.user, one.session) == (user, session) for one in (*self.said, *self.purged)):
                    self.vault.transcript(user, session).clear()
                    self.lose(user, session)
            case "pop" if not self.held():
                mine = [one for one in self.said if (one.user, one.session) == (user, session)]
                if mine:
                    self.vault.transcript(user, session).pop()
                    self.said.remove(mine[-1])
                    self.popped.add(mine[-1].text)
            case "hold" if any((one.user, one.session) == (user, session) for one in self.said):
                self.hold(user, dice.choice([None, session]))
            case "release" if self.held():
                self.release()
