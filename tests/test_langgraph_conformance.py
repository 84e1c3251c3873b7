"""LangGraph's own suite for checkpointers, all of it, over both faces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from databases import Databases

pytest.importorskip(
    "langgraph.checkpoint.conformance", reason="langgraph-checkpoint-conformance is not installed"
)

from langgraph.checkpoint.conformance import checkpointer_test, validate

from vault import AsyncVault, Vault
from vault.adapters.langgraph import VaultSaver


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("face", ["sync", pytest.param("async", marks=pytest.mark.wide)])
def test_the_saver_has_every_capability_that_langgraph_knows(
    database: Databases, face: str, tmp_path: Path
) -> None:
    places: dict[str, Any] = {"keyring": database.keyring, "root": f"file:{tmp_path / 'root.key'}"}

    @checkpointer_test(name=f"VaultSaver-{database.dialect}-{face}")
    async def saver() -> AsyncGenerator[VaultSaver, None]:
        if face == "sync":
            with Vault.open(database.transcripts, **places) as vault:
                yield VaultSaver(vault, user_id="u-1")
        else:
            async with await AsyncVault.open(database.transcripts, **places) as opened:
                yield VaultSaver(opened, user_id="u-1")

    report = asyncio.run(validate(saver))
    failed = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert failed == {}
    assert all(result.tests_passed for result in report.results.values())
    assert len(report.results) == 8
