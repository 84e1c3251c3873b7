"""P3: an erasure that reaches the backups, shown by an attacker who holds all of them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacker import Attacker
from databases import Databases
from faces import DAY
from world import World

from vault.crypto.envelope import Cipher, random_id, random_key
from vault.crypto.tree import Kind, Node, node_aad
from vault.errors import UserForgottenError


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[World]:
    made = World(database, tmp_path / "root.key")
    yield made
    made.vault.close()


@pytest.mark.wide
@pytest.mark.parametrize("seed", [1])
def test_p3_all_old_copies_and_the_present_root_open_nothing_erased_and_everything_alive(
    world: World, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(50):
        world.act(dice)
        world.snapshot()
    assert len(world.erased) >= 5
    world.vault.destroy_due(now=True)
    alive = {text for texts in world.alive.values() for text in texts}

    thief = world.attacker()
    thief.take_keyrings([*world.keyrings, world.databases.dump(world.databases.keyring)])
    opened = set().union(*(thief.read(copy) for copy in world.transcripts))
    assert opened & world.erased == set()
    assert alive <= opened  # so the attacker could have

    owner = world.attacker()
    owner.take_keyrings([world.databases.dump(world.databases.keyring)])
    from_old_copies = set().union(*(owner.read(copy) for copy in world.transcripts))
    assert alive <= from_old_copies <= alive | world.popped

    for (user, session), texts in world.alive.items():
        assert [message.content for message in world.vault.transcript(user, session).messages()] == texts


def test_p3_before_it_is_final_an_old_keyring_and_the_retained_root_still_open_it(world: World) -> None:
    world.vault.transcript("u-1", "s-1").append("user", "secret")
    world.snapshot()
    certificate = world.vault.forget_user("u-1")
    assert certificate.status == "provisional"

    thief = world.attacker()
    thief.take_keyrings(world.keyrings)
    assert thief.read(world.transcripts[0]) == {"secret"}

    world.clock.now += 7 * DAY
    [final] = world.vault.destroy_due()
    assert (final.id, final.status) == (certificate.id, "final")

    thief = world.attacker()
    thief.take_keyrings(world.keyrings)
    assert thief.read(world.transcripts[0]) == set()


def test_p3_the_live_keyring_opens_nothing_forgotten_from_the_first_moment(world: World) -> None:
    world.vault.transcript("u-1", "s-1").append("user", "secret")
    world.vault.transcript("u-2", "s-1").append("user", "kept")
    world.snapshot()
    world.vault.forget_user("u-1")

    thief = world.attacker()  # the root still holds its retired generation
    thief.take_keyrings([world.databases.dump(world.databases.keyring)])
    assert thief.read(world.transcripts[0]) == {"kept"}


def test_p3_the_same_attacker_opens_a_forgotten_user_of_a_plain_wrapped_key_scheme() -> None:
    """What every rival does: a user's wrapped key lies in the same backup as the text."""
    vault, root_id, root_key, user_key = random_id(), random_id(), random_key(), random_key()
    bare = Node(random_id(), root_id, Kind.USERS, 0, bytes([Kind.USERS]), b"")
    wrapped = Node(
        bare.id, root_id, bare.kind, 0, bare.slot, Cipher(root_key).seal(user_key, node_aad(vault, bare, 0))
    )
    backup = {wrapped}
    live: set[Node] = set()  # forgetting deletes the wrapped key; the root stays what it was

    thief = Attacker(vault, {root_id: root_key})
    thief.take_nodes(live)
    assert wrapped.id not in thief.keys
    thief.take_nodes(backup)
    assert thief.keys[wrapped.id][0].key == user_key


@pytest.mark.wide
def test_p3_rows_and_nodes_of_a_forgotten_user_are_gone(world: World) -> None:
    chat = world.vault.transcript("u-1", "s-1")
    for number in range(2500):
        chat.append("user", f"{number}") if number < 3 else None
    chat.extend([{"role": "user", "content": str(number)} for number in range(2500)])
    world.vault.forget_user("u-1", now=True)
    after = world.databases.dump(world.databases.transcripts)
    assert [len(after[name]) for name in ("users", "sessions", "chapters", "messages")] == [0, 0, 0, 0]
    assert {node[2] for node in world.databases.dump(world.databases.keyring)["nodes"]} == {
        Kind.USERS, Kind.RADIX, Kind.EPOCHS, Kind.EPOCH, Kind.SERVICE,
    }  # fmt: skip
    with pytest.raises(UserForgottenError):
        chat.messages()
