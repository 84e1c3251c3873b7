"""P6: many processes and threads add to one log, which never forks and never has a hole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from crash_child import Place
from processes import at_once, forget, make_users, note, run_threads, workers
from test_concurrency import LONG, QUICK, place, root, times

from vault import Vault
from vault.evidence.checking import check_certificate
from vault.evidence.notes import Verifier
from vault.logs import check_consistency

__all__ = ["LONG", "QUICK", "place", "root", "times"]


def reasons(vault: Vault, writer: str) -> list[str]:
    return [one.reason for one in vault.log.entries() if one.reason.startswith(f"{writer}:")]


@pytest.mark.wide
def test_p6_what_processes_add_to_the_log_is_all_there_in_their_order(
    place: Place, times: int, tmp_path: Path
) -> None:
    number = 100 * times
    with place.open() as vault, workers(place, 2) as team:
        old = vault.log.checkpoint(anchor=tmp_path / "outside")
        at_once(team, (note, "a", number), (note, "b", number))
        found = vault.log.verify(anchor=tmp_path / "outside")
        assert found.entries == 1 + 2 * number
        for writer in "ab":
            assert reasons(vault, writer) == [f"{writer}:{count}" for count in range(number)]
        key = Verifier.parse(vault.log.public_key())
        check_consistency(old, vault.log.checkpoint(), vault.log.consistency(old), key)


@pytest.mark.wide
def test_p6_erasures_by_two_processes_stand_in_the_log_once(place: Place, times: int) -> None:
    with place.open() as vault, workers(place, 2) as team:
        names = make_users(vault, "u", 4 * times)
        at_once(team, (forget, names, True), (forget, names[::-1], True))
        certificates = vault.certificates()
        steps = Counter((one.act, str(one.step)) for one in vault.log.entries())
        assert len(certificates) == len(names)
        assert {steps[one.id, step] for one in certificates for step in ("intent", "completed", "final")} == {
            1
        }
        assert vault.log.verify().unfinished == 0
        key = Verifier.parse(vault.log.public_key())
        for one in certificates:
            check_certificate(one.to_json(), key)


@pytest.mark.wide
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("database")
def test_p6_what_threads_add_to_the_log_is_all_there(place: Place) -> None:
    with place.open() as vault:
        names = make_users(vault, "u", 3)
        run_threads(
            [
                lambda: note(vault, "a", 20),
                lambda: note(vault, "b", 20),
                lambda: forget(vault, names, True),
            ]
        )
        assert vault.log.verify().unfinished == 0
        assert len(reasons(vault, "a") + reasons(vault, "b")) == 40
