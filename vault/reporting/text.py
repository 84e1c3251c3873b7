"""A report in words, for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime

from vault.reporting.values import Contents

_WIDTH = 80
_HEAD = 12


def text(report: Contents) -> str:
    """Say the main things of a report."""
    lines = [f"report of vault {report.vault}", f"at {_moment(report.at)}", ""]
    for head, said in _facts(report):
        wrapped = textwrap.wrap(said, _WIDTH - _HEAD - 4, break_on_hyphens=False) or [""]
        lines += [f"  {head if not place else '':{_HEAD}}  {line}" for place, line in enumerate(wrapped)]
    if report.stored:
        lines += ["", f"  {'class':34}{'messages':>12}{'sealed':>10}  {'oldest':10}  at most"]
        for one in report.stored:
            oldest = "" if one.oldest is None else f"{one.oldest:%Y-%m-%d}"
            name = one.name if len(one.name) <= _NAME else one.name[: _NAME - 1] + "…"
            most = "" if one.at_most is None else one.at_most
            row = f"  {name:34}{one.messages:>12,}{size(one.bytes):>10}  {oldest:10}  {most}"
            lines.append(row[:_WIDTH].rstrip())
    return "\n".join(lines)


_NAME = 33


def _facts(report: Contents) -> Iterable[tuple[str, str]]:
    of = f"{report.users:,} users in {report.sessions:,} sessions"
    yield "stored", f"{report.messages:,} messages of {of}, {size(report.bytes)} sealed"
    yield "policies", ", ".join(report.policies) or "none: all is kept"
    if report.overdue is not None:
        held, floored = (
            sum(one.held for one in report.overdue),
            sum(one.floored for one in report.overdue),
        )
        yield "overdue", f"{report.due:,} messages; {held:,} more are held, {floored:,} kept by a floor"
    yield (
        "holds",
        f"{len(report.held):,} in force, {report.holds_ended:,} ended; {len(report.waiting):,} waiting",
    )
    by = ", ".join(f"{number:,} {status}" for status, number in sorted(report.erasures_by.items()))
    yield "erasures", by or "none"
    failed = sum(one.outcome in FAILED for one in report.turns)
    yield "runs", f"{report.runs_in_all:,}; of the last {len(report.turns):,} scheduled, {failed:,} failed"
    log = report.log
    yield "log", f"NOT WHOLE: {log.failure}" if log.failure else f"whole, {log.entries:,} entries"
    yield "public key", log.key
    retired = len(report.keys.retired)
    yield "root", f"generation {report.keys.ordinal:,}, {retired:,} retired and kept"
    yield "keys", ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.keys.nodes.items()))
    for warning in report.keys.warnings:
        yield "warning", warning


FAILED = frozenset({"failed", "refused"})


def size(number: int) -> str:
    """Show bytes as people read them."""
    value, units = float(number), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:  # noqa: PLR2004 (a thousand of one is one of the next)
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 100 else f"{value:.1f} {units[0]}"  # noqa: PLR2004


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
