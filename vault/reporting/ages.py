"""The drawing of a class: how many messages of which age, and where its policy ends them."""

from __future__ import annotations

from collections.abc import Callable

from vault.reporting.values import Stored

_TOP, _BASE, _LABEL = 20, 96, 113  # pixels, from above
_EDGE = 65  # beyond it, in hundredths, a label stands on the other side of its line


def ages(one: Stored, text: Callable[[str], str]) -> str:
    """Draw it. Widths are shares of the page, so that it fits a phone as well, and nothing is distorted."""
    if not one.bars or not one.messages:
        return ""
    reach, most = one.bars[-1].until, one.most_days
    highest = max(bar.messages for bar in one.bars)
    is_drawn = most is not None and most <= reach
    limit = 100 * most / reach if most is not None and is_drawn else 100.0
    drawn = []
    if is_drawn:
        drawn.append(
            f'<rect class="zone" x="{limit:.2f}%" y="{_TOP}" width="{100 - limit:.2f}%"'
            f' height="{_BASE - _TOP}"/>'
        )
    for bar in one.bars:
        if bar.messages:
            # The least of them is seen too: what is overdue is often little.
            height = max(2.5, (_BASE - _TOP - 4) * bar.messages / highest)
            x, width = 100 * bar.since / reach, 100 * (bar.until - bar.since) / reach * 0.82
            # Where a rule counts from something else, the age of a message alone does not make it due.
            is_past = most is not None and bar.since >= most and one.count_from == "message"
            kind = "past" if is_past else "bar"
            said = f"{bar.since}\u2013{bar.until - 1} days old: {bar.messages:,}"
            drawn.append(
                f'<rect class="{kind}" x="{x:.2f}%" y="{_BASE - height:.1f}" width="{width:.2f}%"'
                f' height="{height:.1f}" rx="1"><title>{said}</title></rect>'
            )
    drawn.append(f'<line class="base" x1="0" y1="{_BASE}" x2="100%" y2="{_BASE}"/>')
    if is_drawn:
        side = "end" if limit > _EDGE else "start"
        drawn.append(
            f'<line class="most" x1="{limit:.2f}%" y1="{_TOP - 6}" x2="{limit:.2f}%" y2="{_BASE}"/>'
            f'<text class="limit" x="{limit:.2f}%" y="{_TOP - 10}" text-anchor="{side}">'
            f"at most {text(one.at_most or '')}</text>"
        )
    drawn += [
        f'<text x="0" y="{_LABEL}">today</text>',
        f'<text x="100%" y="{_LABEL}" text-anchor="end">{_age(reach)} ago</text>',
    ]
    label = f"Ages of {one.messages:,} messages of {text(one.name)}"
    return f'<svg class="ages" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _age(days: int) -> str:
    if days < 90:  # noqa: PLR2004 (three months)
        return f"{days} day{'' if days == 1 else 's'}"
    return f"{days / 30.44:.0f} months" if days < 730 else f"{days / 365.25:.1f} years"  # noqa: PLR2004
