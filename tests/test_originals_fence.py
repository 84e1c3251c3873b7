"""P8: originals are never sealed under a key that a purge has erased, whoever had the session open."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import Databases
from faces import DAY

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

POLICY = """\
version: 1
policy: p
limits: {max_fraction: 100%}
classes:
  - name: t
    match: {role: tool}
    keep: {at_most: 1d}
  - name: d
    keep: {at_most: 30d, count_from: last-message}
originals: {keep: 60d}
"""


class Clock:
    now = 1_790_000_000_000_000

    def __call__(self) -> int:
        self.now += 1000
        return self.now


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Redaction(originals=True))


@pytest.mark.wide
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_p8_originals_go_on_where_a_purge_has_erased_the_chapter_of_those_before(
    database: Databases, tmp_path: Path, engine: Engine, *, is_elsewhere: bool
) -> None:
    (tmp_path / "p.yaml").write_text(POLICY)
    clock = Clock()

    def opened() -> Vault:
        return Vault.open(
            database.transcripts,
            keyring=database.keyring,
            root=f"file:{tmp_path / 'root.key'}",
            policies=tmp_path / "p.yaml",
            redactor=engine,
            clock=clock,
        )

    with opened() as vault:
        chat = vault.transcript("anna", "s")
        chat.append("tool", "an answer")
        chat.append("user", "hello")
        chat.append("user", "I am Zoe Papadopoulos")
        chat.pop()
        clock.now += 3 * DAY
        with opened() as other:
            ran = (other if is_elsewhere else vault).purge()
        assert (ran.messages, ran.chapters) == (1, 1)
        chat.append("user", "I am Zoe Papadopoulos again")
        told = [one.content for one in chat.messages(reveal=True, purpose="a test")]
        assert told == ["hello", "I am Zoe Papadopoulos again"]
    with opened() as vault:
        chat = vault.transcript("anna", "s")
        assert [one.content for one in chat.messages(reveal=True, purpose="a test")] == told
        clock.now += 90 * DAY
        assert vault.purge().messages == 2
