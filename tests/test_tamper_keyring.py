"""Who may write to the keyring can destroy, and can't have the vault lie, or erase in their stead (P2, P6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tampering import Depth, Rule, Stage, played, targets, verdict

from vault.storage import schema

OUTDATED = frozenset({"KeyringOutdatedError"})
WRONG = frozenset({"WrongKeyError"})

RULES = (
    Rule("*/copied to another *", "a row of nobody's", is_harmless=True),
    Rule("*/removed/row/put back", "without its parent a key does not open", is_harmless=True),
    Rule("keyring_meta/vault/*", "it could be another vault's", WRONG),
    Rule("keyring_meta/holder/name/swapped", "it could be another vault's", WRONG),
    Rule("keyring_meta/root/value/*", "it could be an older keyring, or another's", OUTDATED | WRONG),
    Rule("keyring_meta/root/row/older row", "it could be an older keyring", OUTDATED),
    Rule("keyring_meta/home/value/*", "a copy reads, and refuses to erase", is_harmless=True),
    Rule("keyring_meta/holder/value/*", "a copy reads, and refuses to erase", is_harmless=True),
    *(
        Rule(f"nodes/{leaf}/version/*", "nothing hangs from it", is_harmless=True)
        for leaf in ("secret", "session", "epoch", "chapter-*", "service")
    ),
    Rule("nodes/chapter-kept/*", "its epoch lives and gives the key", is_harmless=True),
    Rule("nodes/user/slot/*", "it could be older than this user", OUTDATED),
    Rule("nodes/user/row/deleted", "it could be older than this user", OUTDATED),
    Rule("nodes/session/slot/*", "it could be older than this session", OUTDATED),
    Rule("nodes/session/row/deleted", "it could be older than this session", OUTDATED),
    Rule("tombstones/*/id/*", "it is only an order", is_harmless=True),
    Rule("tombstones/lifted-*", "who enrolled again lives, whatever was before", is_harmless=True),
)


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.slow),
        pytest.param("mariadb", marks=pytest.mark.slow),
    ],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from played(request, tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize("target", targets(schema.keyring.tables))
def test_p2_nothing_written_into_the_keyring_passes_for_the_truth(stage: Stage, target: str) -> None:
    assert verdict(stage, target, Depth.FEW, RULES) == []
