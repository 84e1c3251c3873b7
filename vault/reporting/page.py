"""A report as one page: no network, nothing that runs, readable in light and dark, on paper and on a phone.

Whatever an operator wrote is text: it is escaped, and the page's own policy lets no script run at all.
"""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources

from vault.reporting.ages import ages
from vault.reporting.text import FAILED, size
from vault.reporting.values import Contents, Stored

_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SHORT = 12


def page(report: Contents) -> str:
    """Give the whole page."""
    style = (
        resources.files("vault.reporting").joinpath("assets", "page.css").read_text(encoding="utf-8").strip()
    )
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = ", ".join(report.policies) or "none: all is kept"
    parts = (_tiles, _stored, _overdue, _holds, _erasures, _runs, _log, _keys)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{digest}'; \
img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>Retention report, {_date(report.at)}</title>
<style>{style}</style>
</head>
<body>
<div class="wrap">
<header class="top"><h1>Retention report</h1>
<p>{_moment(report.at)}</p>
<p>Vault <code>{text(report.vault)}</code></p>
<p>Policies in force: {text(policies)}</p></header>
<main>
{"".join(part(report) for part in parts)}</main>
<footer class="end">Times are UTC. No message, no user id and no session id is on this page: \
holds and erasures stand under their own ids. Written by transcript-vault {text(report.version)}.</footer>
</div>
</body>
</html>
"""


def text(value: str) -> str:
    """Make a text harmless in a page, within an attribute too."""
    return html.escape(_ODD.sub("\ufffd", value.replace("\r\n", "\n")))


def _date(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%d %b %Y").lstrip("0")


def _moment(at: datetime | None) -> str:
    if at is None:
        return ""
    shown = at.astimezone(UTC).strftime("%d %b %Y, %H:%M").lstrip("0")
    return f'<time datetime="{at.astimezone(UTC).isoformat()}">{shown}</time>'


def counted(number: int, noun: str) -> str:
    """Count something in words."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _mark(word: str, kind: str = "") -> str:
    return f'<span class="mark {kind}">{text(word)}</span>'


def _section(title: str, words: str, inner: str) -> str:
    return f"<section><header><h2>{title}</h2><p>{words}</p></header>\n{inner}</section>\n"


def _table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], none: str) -> str:
    """Draw a table of harmless cells; on a phone each row is a card, and each cell has its label."""
    listed = list(rows)
    if not listed:
        return f'<p class="none">{none}</p>'
    heads = "".join(f'<th class="{kind}" scope="col">{name}</th>' for name, kind in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}" data-label="{name}">{cell}</td>'
            for (name, kind), cell in zip(columns, row, strict=True)
        )
        + "</tr>\n"
        for row in listed
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>\n"


# -- the parts -------------------------------------------------------------------------------------------


def _tiles(report: Contents) -> str:
    def tile(head: str, value: str, words: str, kind: str = "") -> str:
        return f'<div class="tile {kind}"><h2>{head}</h2><b>{value}</b><p>{words}</p></div>\n'

    kept = sum(one.held + one.floored for one in report.overdue or ())
    final, whole = report.erasures_by.get("final", 0), report.log.failure is None
    open_ones = sum(report.erasures_by.values()) - final
    failed = sum(one.outcome in FAILED for one in report.turns)
    due = "no policy says so" if report.overdue is None else f"{kept:,} more are held, or kept by a floor"
    late = any(one.is_overdue for one in report.keys.retired)
    sessions = counted(report.sessions, "session")
    of = f"of {counted(report.users, 'user')}, {sessions}; {size(report.bytes)} sealed"
    waiting = f"{len(report.waiting):,} waiting for their end, {report.holds_ended:,} ended"
    tiles = (
        tile("Messages", f"{report.messages:,}", of),
        tile("Overdue", f"{report.due:,}", due, "look" if report.due else ""),
        tile("Holds in force", f"{len(report.held):,}", waiting),
        tile("Erasures", f"{final:,} final", f"{open_ones:,} not final yet"),
        tile(
            "Evidence log",
            "whole" if whole else "not whole",
            f"{report.log.entries:,} entries verified" if whole else text(report.log.failure or ""),
            "" if whole else "bad",
        ),
        tile(
            "Old roots",
            f"{len(report.keys.retired):,}",
            "retired, kept until the horizon has passed" + ("; some are late" if late else ""),
            "look" if late else "",
        ),
    )
    runs = f"{counted(failed, 'scheduled run')} failed or refused lately: see Runs."
    return f'<div class="tiles">{"".join(tiles)}</div>\n' + (f'<p class="none">{runs}</p>' if failed else "")


def _stored(report: Contents) -> str:
    words = (
        "By class, from today on the left to the oldest on the right. What is past the line goes, unless a"
        " hold or a floor keeps it."
    )
    beside = (
        f'<p class="none">Beside them {counted(report.records, "record")} of adapters.</p>'
        if report.records
        else ""
    )
    classes = "".join(_class(one) for one in report.stored)
    return _section("What is stored", words, (classes or '<p class="none">Nothing.</p>') + beside)


def _class(one: Stored) -> str:
    if one.policy is None:
        rule = "no rule of today's policies put this here"
    else:
        limits = [("at least", one.at_least), ("at most", one.at_most)]
        said = ", ".join(f"{word} {text(value)}" for word, value in limits if value) or "kept without limit"
        rule = f"{said}, counted from the {text(one.count_from.replace('-', ' '))}"
    oldest = f"; oldest {_date(one.oldest)}" if one.oldest else ""
    number = counted(one.messages, "message")
    if one.part != "body":
        number = f"originals of {number}"
    return (
        f'<article class="class"><header><h3>{text(one.name)}</h3><p>{rule}</p></header>'
        f"<p>{number}, {size(one.bytes)}{oldest}</p>{ages(one, text)}</article>\n"
    )


def _overdue(report: Contents) -> str:
    words = "What is past its ceiling: the next run erases what no hold and no floor keeps."
    if report.overdue is None:
        return _section("Overdue", words, '<p class="none">This vault has no policies: all is kept.</p>')
    columns = [("Class", "w"), ("Goes", "n"), ("Held", "n"), ("Kept by a floor", "n"), ("Oldest", "d")]
    rows = [
        (text(one.name), f"{one.goes:,}", f"{one.held:,}", f"{one.floored:,}", _date(one.oldest))
        for one in report.overdue
    ]
    return _section("Overdue", words, _table(columns, rows, "Nothing is past its ceiling."))


def _holds(report: Contents) -> str:
    words = "A hold forbids every erasure of a user, or of one session. Those in force come first."
    columns = [("Hold", "k"), ("On", "d"), ("Since", "d"), ("Until", "d"), ("Reason", "w"), ("State", "d")]
    rows = [
        (
            text(one.id[:_SHORT]),
            f"a {one.on}",
            _date(one.placed_at),
            _date(one.released_at or one.until) or "it is released",
            text(one.reason),
            _mark("in force") if one.in_force else _mark("ended", "quiet"),
        )
        for one in report.holds
    ]
    inner = _table(columns, rows, "Nothing was ever held.")
    if report.waiting:
        waiting = [
            (text(one.id[:_SHORT]), _moment(one.requested_at), text(one.reason)) for one in report.waiting
        ]
        inner += "<h3>Requests to forget that wait for a hold</h3>" + _table(
            [("Certificate", "k"), ("Asked", "d"), ("Reason", "w")], waiting, ""
        )
    return _section("Holds", words, inner)


_STATUS = {"final": "", "provisional": "look", "requested": "look"}


def _erasures(report: Contents) -> str:
    words = (
        "Provisional: the keys are cut off, and a retained root still opens an old keyring. Final: nothing"
        " that was ever copied opens what was erased."
    )
    columns = [
        ("Certificate", "k"), ("Kind", "d"), ("Messages", "n"), ("Keys cut", "d"), ("Final", "d"),
        ("Reason", "w"), ("State", "d"),
    ]  # fmt: skip
    rows = [
        (
            text(one.id[:_SHORT]),
            text(one.kind),
            f"{one.messages:,}",
            _moment(one.cut_at),
            _moment(one.final_at) or (f"due {_date(one.due_at)}" if one.due_at else ""),
            text(one.reason),
            _mark(one.status, _STATUS.get(one.status, "bad")),
        )
        for one in report.erasures
    ]
    left = sum(report.erasures_by.values()) - len(rows)
    more = f'<p class="none">And {counted(left, "older erasure")}, all final.</p>' if left else ""
    return _section("Erasures", words, _table(columns, rows, "Nothing was erased yet.") + more)


def _runs(report: Contents) -> str:
    words = f"{counted(report.runs_in_all, 'run')} of the retention policies; the latest are here."
    columns = [
        ("Began", "d"),
        ("Ended", "d"),
        ("Messages", "n"),
        ("Epochs", "n"),
        ("Certificate", "k"),
        ("State", "d"),
    ]
    rows = []
    for one in report.runs:
        state = _mark("done")
        if one.stopped or one.ended_at is None:
            state = _mark("stopped" if one.stopped else "no end", "look")
        certificate = text((one.certificate or "")[:_SHORT])
        ended = _moment(one.ended_at)
        rows.append(
            (_moment(one.started_at), ended, f"{one.messages:,}", f"{one.epochs:,}", certificate, state)
        )
    inner = _table(columns, rows, "No policy was run yet.")
    if report.turns:
        turned = [
            (
                text(one.job),
                _moment(one.due_at),
                _moment(one.ended_at),
                _mark(
                    one.outcome, "bad" if one.outcome in FAILED else "" if one.outcome == "done" else "quiet"
                ),
            )
            for one in report.turns
        ]
        columns = [("Duty", "d"), ("Scheduled for", "d"), ("Ended", "d"), ("State", "d")]
        inner += "<h3>On schedule</h3>" + _table(columns, turned, "")
    return _section("Runs", words, inner)


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>\n"


def _log(report: Contents) -> str:
    log = report.log
    words = (
        "Every entry was hashed again for this report. Keep the checkpoint: a later log has grown from it."
    )
    key = ("Public key", f"<code>{text(log.key)}</code>")
    if log.failure is not None:
        return _section(
            "Evidence log",
            words,
            _facts([("Result", _mark("not whole", "bad")), ("Why", text(log.failure)), key]),
        )
    against = (
        f"{counted(log.anchors, 'checkpoint')} from outside" if log.anchors else "no checkpoint from outside"
    )
    facts = [
        ("Result", _mark("whole")),
        ("Verified up to", "1 entry" if log.entries == 1 else f"{log.entries:,} entries"),
        ("Compared with", against),
        ("Unfinished acts", f"{log.unfinished:,}"),
        ("Root hash", f"<code>{text(log.root)}</code>"),
        key,
    ]
    return _section(
        "Evidence log", words, f"{_facts(facts)}<h3>Checkpoint</h3><pre>{text(log.checkpoint)}</pre>"
    )


def _keys(report: Contents) -> str:
    keys = report.keys
    words = "Retired generations of the root are kept until the horizon has passed, and then destroyed."
    facts = [
        ("Root", f"<code>{text(keys.root)}</code>"),
        ("Generation", f"{keys.ordinal:,}"),
        ("At home", "yes" if keys.is_home else _mark("no: this is a copy, or was moved", "look")),
        ("Keys", ", ".join(f"{number:,} {text(kind)}" for kind, number in sorted(keys.nodes.items()))),
    ]
    facts += [("Warning", text(one)) for one in keys.warnings]
    columns = [("Generation", "d"), ("Retired", "d"), ("Due", "d"), ("State", "d")]
    rows = [
        (
            f"{one.ordinal:,}",
            _moment(one.retired_at),
            _moment(one.due_at),
            _mark("late", "look") if one.is_overdue else _mark("kept", "quiet"),
        )
        for one in keys.retired
    ]
    return _section("Keys", words, _facts(facts) + _table(columns, rows, "No old generation is left."))
