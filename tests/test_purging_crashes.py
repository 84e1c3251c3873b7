"""P8: a purge that is killed at any instant loses nothing that stays; the next run comes to the same end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from attacker import Attacker, nodes_of, root_keys, table
from crash_child import Act
from databases import Server, Sqlite
from soundness import check_sound
from test_crash import Scene, Script, play, scene

from vault import Vault
from vault.crypto.tree import Kind
from vault.storage import schema

FIRST = """\
version: 1
policy: first
limits: {max_fraction: 100%}
classes:
  - name: tool
    match: {role: tool}
    keep: {at_least: 50y, count_from: last-message}
  - name: default
    keep: {at_most: 30d}
"""
SECOND = """\
version: 1
policy: second
limits: {max_fraction: 100%}
classes:
  - name: system
    match: {role: system}
    keep: {at_least: 50y}
  - name: default
    keep: {at_most: 30d}
"""
WORDS: tuple[tuple[str, str, str, str], ...] = (
    ("anna", "s-1", "user", "goes first"),
    ("anna", "s-1", "tool", "sealed anew, then goes"),
    ("anna", "s-1", "system", "goes first, too"),
    ("anna", "s-2", "tool", "kept, then goes"),
    ("bert", "s-1", "user", "goes alone"),
    ("carl", "s-1", "tool", "kept, and goes with the last"),
)
STAYS = {"first": {"tool"}, "second": set[str]()}
NEW = ("anna", "s-1", "system", "of today")


@dataclass(frozen=True)
class Purging:
    """The script of the child, and what it is about."""

    script: Script
    files: dict[str, Path]

    def finish(self, vault: Vault, begun: Act | None) -> None:
        """Run again what was interrupted, and what was still to come."""
        left = list(self.files) if begun is None else list(self.files)[self._number(begun) :]
        for name in left:
            vault.purge(policies=self.files[name], yes=True)

    def _number(self, act: Act) -> int:
        return list(map(str, self.files.values())).index(act[1])


@pytest.fixture
def purging(tmp_path: Path) -> Purging:
    files = {}
    for name, text in (("first", FIRST), ("second", SECOND)):
        files[name] = tmp_path / f"{name}.yaml"
        files[name].write_text(text)
    setup: tuple[Act, ...] = (
        *(("old", *words) for words in WORDS),
        ("append", NEW[0], NEW[1], NEW[3]),
    )
    acts = tuple(("purge", str(file)) for file in files.values())
    return Purging(Script(setup, acts), files)


def texts(vault: Vault) -> dict[tuple[str, str], tuple[list[Any], int]]:
    """Give what can be read, and how many messages are counted as purged."""
    found = {}
    for user, session, *_ in WORDS:
        messages = vault.transcript(user, session).messages()
        found[user, session] = [message.content for message in messages], messages.purged
    return found


def rest(at: Scene) -> tuple[object, ...]:
    """Give what a run leaves in the databases, without what is random."""
    transcripts = at.databases.dump(at.databases.transcripts)
    names = {
        row["id"]: str(row["name"]).partition("@")[0]
        for row in table(transcripts, schema.transcripts, "classes")
    }
    epochs = [
        (names[row["class_id"]], row["anchor"], row["state"])
        for row in table(transcripts, schema.transcripts, "epochs")
    ]
    chapters = [
        (row["session_id"], row["epoch_id"] is None, row["node"] is None, row["state"])
        for row in table(transcripts, schema.transcripts, "chapters")
    ]
    rows = [(row["session_id"], row["seq"]) for row in table(transcripts, schema.transcripts, "messages")]
    nodes = nodes_of(at.databases.dump(at.databases.keyring))
    named = {row["node"] for row in table(transcripts, schema.transcripts, "chapters")}
    # Ways may share a part; and a chapter's key is planted before its row, so that a kill may leave one bare.
    loose = {node.id for node in nodes if node.kind is Kind.CHAPTER} - named
    assert len(loose) <= 1
    left = {Kind.RADIX, Kind.KEPT}
    kinds = sorted(node.kind for node in nodes if node.kind not in left and node.id not in loose)
    return sorted(epochs), sorted(chapters), rows, kinds


def must_be_there(begun: Act | None, purging: Purging) -> set[str]:
    """Give the texts that no run that was begun may have taken."""
    if begun is None:
        return {NEW[3]}
    stays = STAYS[list(purging.files)[purging._number(begun)]]
    return {NEW[3], *(text for _, _, role, text in WORDS if role in stays)}


def unkilled(server: Server, directory: Path, purging: Purging) -> tuple[tuple[str, ...], object]:
    with scene(server, directory, purging.script) as at:
        story = play(at.place, purging.script, None)
        assert not story.killed
        with at.place.open() as vault:
            assert texts(vault)["anna", "s-1"] == ([NEW[3]], 3)
            assert texts(vault)["anna", "s-2"] == ([], 1)
            state = texts(vault), rest(at)
        check_sound(at.databases, *at.mirrors)
        return story.steps, state


def kill_at(server: Server, directory: Path, purging: Purging, fatal: int, expected: object) -> None:
    with scene(server, directory, purging.script) as at:
        story = play(at.place, purging.script, fatal)
        assert story.killed
        with at.place.open() as vault:
            seen = {text for listed, _ in texts(vault).values() for text in listed}
            assert must_be_there(story.pending, purging) <= seen
            purging.finish(vault, story.pending)
            assert (texts(vault), rest(at)) == expected
            vault.destroy_due(now=True)
            assert {one.status for one in vault.certificates()} == {"final"}
        check_sound(at.databases, *at.mirrors)
        thief = Attacker(bytes.fromhex(vault_id(at)), root_keys(at.mirrors[0]))
        thief.take_keyrings([at.databases.dump(at.databases.keyring)])
        assert thief.read(at.databases.dump(at.databases.transcripts)) == {NEW[3]}


def vault_id(at: Scene) -> str:
    with at.place.open() as vault:
        return vault.keys_status().vault


def kills(steps: tuple[str, ...], *, every: int) -> Iterator[int]:
    yield from range(1, len(steps) + 1, every)


def run_kills(server: Server, directory: Path, purging: Purging, *, every: int) -> int:
    steps, expected = unkilled(server, directory / "alive", purging)
    for fatal in kills(steps, every=every):
        try:
            kill_at(server, directory / f"{fatal}", purging, fatal, expected)
        except BaseException as error:
            error.add_note(f"killed at step {fatal} of {len(steps)}, {steps[fatal - 1]}")
            raise
    return len(steps)


@pytest.mark.wide
def test_p8_a_purge_that_is_killed_is_taken_up_by_the_next_run(tmp_path: Path, purging: Purging) -> None:
    (tmp_path / "kills").mkdir()
    assert run_kills(Sqlite(tmp_path), tmp_path / "kills", purging, every=17) > 30


@pytest.mark.slow
def test_p8_a_purge_that_is_killed_at_any_step_is_taken_up_by_the_next_run(
    tmp_path: Path, purging: Purging
) -> None:
    (tmp_path / "kills").mkdir()
    print(run_kills(Sqlite(tmp_path), tmp_path / "kills", purging, every=1))
