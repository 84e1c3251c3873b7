"""A purge while somebody is being forgotten: it comes before or after, and takes nobody for a thief."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from faces import DAY
from retained import Retained

from vault.erasure import Eraser
from vault.errors import SessionForgottenError, UserForgottenError
from vault.keys.swap import Swapper


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> Iterator[Retained]:
    made = Retained(database, tmp_path / "root.key", rules="short")
    yield made
    made.vault.close()


@pytest.mark.wide
@pytest.mark.parametrize("step", [(Swapper, "cut"), (Eraser, "_sweep")], ids=["cut", "sweep"])
@pytest.mark.parametrize("session", [None, "s-1"])
@pytest.mark.parametrize("is_kept", [True, False], ids=["key of its own", "closed day"])
def test_p4_p2_a_purge_while_somebody_is_forgotten_accuses_nobody_and_takes_what_is_due(
    world: Retained,
    monkeypatch: pytest.MonkeyPatch,
    step: tuple[type, str],
    session: str | None,
    *,
    is_kept: bool,
) -> None:
    world.say("anna", "s-1")
    world.say("ben", "s-1")
    if is_kept:
        world.hold("anna", "s-1")
    world.clock.now += 4 * DAY
    if is_kept:
        world.vault.purge()  # from here on hers has a key of its own
        world.release()
    where, name = step
    real = getattr(where, name)

    def purged(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(where, name, real)
        other.purge()
        return real(*given, **named)

    with world.open() as other:
        monkeypatch.setattr(where, name, purged)
        if session is None:
            world.vault.forget_user("anna")
        else:
            world.vault.forget_session("anna", session)
    with pytest.raises((UserForgottenError, SessionForgottenError)):
        world.vault.transcript("anna", "s-1").messages()
    world.vault.purge()
    assert len(world.databases.dump(world.databases.transcripts)["messages"]) == 0
    assert len(world.databases.dump(world.databases.transcripts)["epochs"]) == 0
