"""Addresses of machines: IPv4, IPv6 and MAC. Versions, times and the addresses that everybody has are none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = re.compile(
    rf"(?=\d)(?:(?:(?<![\w.+-])|(?<=\bip-)){_OCTET}(?:\.{_OCTET}){{3}}(?![\w+]|\.\d|-\d|\.x)|(?<=ip-){_OCTET}(?:-{_OCTET}){{3}}(?!\w|-\d))"
)
_V6 = re.compile(
    r"(?:(?<![\w:.])|(?<=[g-z]:))(?=[0-9a-f]{0,4}:[0-9a-f:]{2})[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}+(?:\.\d{1,3}){0,3}+(?:%[a-z0-9]{1,16})?(?![\w:])"
)
_MAC = re.compile(
    r"(?:(?<![\w:.-])|(?<=[g-z]:)|(?<=mac:))(?:[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}|(?=[0-9.]{0,13}[a-f])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}|(?=[0-9.]{0,9}[a-f])[0-9a-f]{2}(?:\.[0-9a-f]{2}){5})(?![\w:]|[-.]\w)"
)
_MAC_SAID = re.compile(
    r"\b(?:mac|bssid|ethernet|eth|hw ?addr(?:ess)?|macaddress|lladdr|bluetooth|physical address)\b[^\n;]{0,24}?[\s:=\"']((?=[0-9a-f.:-]{0,11}[a-f])(?=[0-9a-f.:-]{0,11}\d)[0-9a-f]{12}|[0-9a-f]{4}[0-9a-f.:-]{1,2}[0-9a-f]{2}[.:-][0-9a-f]{2}[0-9a-f.:-]{1,2}[0-9a-f]{2,4}|(?=[0-9a-f .:-]{0,16}[a-f])(?=[0-9a-f .:-]{0,16}\d)(?:[0-9a-f]{6}[ .:-][0-9a-f]{6}|[0-9a-f]{4}([ -])[0-9a-f]{4}\2[0-9a-f]{4}|[0-9a-f]{2}(?: [0-9a-f]{2}){5}))(?![\w:-])"
    r"|\b(?:mac|physical|hardware|bluetooth) ?addr(?:ess)?(?:es)?\b[^\n;\d]{0,60}?[ :=]((?=[0-9a-f]{0,11}[a-f])(?=[0-9a-f]{0,11}\d)[0-9a-f]{12})(?![\w:-])"
    r"|\bmac\b[^.;\d]{0,80}?\n[^\n\d]{0,60}?\b((?=[0-9a-f]{0,11}[a-f])(?=[0-9a-f]{0,11}\d)[0-9a-f]{12})(?![\w:-])"
)
_MAC_ALSO = re.compile(
    r"(?:(?!container|commit|image|hash|sha|digest|id\b)[^\n;]){1,40}?(?<![\w.:-])((?=[0-9a-f]{0,11}[a-f])(?=[0-9a-f]{0,11}\d)[0-9a-f]{12})(?![\w:-])"
)
"""A second machine's, beside one that is known by its form or its word."""

_VERSION = re.compile(
    r"(?:\b(?:v|ver\.?|build|fw|driver|update|oid)|version|release|firmware|kernel|app|tag|changelog of|bug in|figure|fig\.|package|paket|section|chapter|clause|==|>=|<=|~=|upgrade\w*)\s{0,2}[:=]?\s{0,2}$"
    r"|\b(?:chrom\w{1,5}|crios|safari|firefox|fxios|edg\w{0,3}|opr|opera|yabrowser|vivaldi|brave|electron|webview\d?|webkit|mozilla)/$"
)
_PROGRAM = re.compile(
    r"\b(?:java|jdk|jre|edge|chrom(?:e|ium)|firefox|safari|photoshop|acrobat|excel|office|ios|ipados|macos|android|windows"
    r"|plugin|provider|patch|roll ?back to|revert to|installed) $"
)
_LOCAL = re.compile(r"10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.")
"""Of a net at home or at work, whatever stands before it."""

_RELEASED = re.compile(
    r" is (?:the |our |my )?(?:latest|newest|last|current|next) (?:release|version|build|stable)\b"
)
_RAISED = re.compile(
    r"\b(?:up|down)grad|\bupdat|\bbump|version|\bmigrat|\brelease|\bfrom v?\d{1,2}\.\d{1,2}(?:\.\d{1,2}){0,2} to"
)
"""What is raised to something, which is a version then."""

_MAPPED = re.compile(r"(?:::|:[0-9a-f]{1,4}:)$")  # an IPv6 address ends in it
_EVERYBODYS = re.compile(
    r"127\.0\.|0\.|255\.255\.|22[4-9]\.0\.|239\.25[05]\.|169\.254\.169\.254$|192\.168\.(?:[01]|100|178|2|8)\.(?:0|1|254|255)$|10\.0\.0\.(?:0|1|138)$|10\.0\.1\.1$"
    r"|8\.8\.[84]\.[84]$|1\.1\.1\.1$|1\.0\.0\.1$|9\.9\.9\.9$|208\.67\.22[02]\.22[02]$|1\.2\.3\.4$|4\.4\.4\.4$|172\.17\.0\.1$|\d+\.0\.0\.0$"
)

_RESOLVERS = frozenset(
    map(
        ipaddress.IPv6Address,
        (
            *("2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111", "2606:4700:4700::1001"),
            *("2620:fe::fe", "2620:fe::9", "2620:119:35::35", "2620:119:53::53"),
        ),
    )
)


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in _V4.finditer(low):
        address = match[0]
        start, end = match.span()
        if _EVERYBODYS.match(address.replace("-", ".")) or _VERSION.search(low, max(0, start - 16), start):
            continue
        if _RELEASED.match(low, end):
            continue
        if _PROGRAM.search(low, max(0, start - 16), start) and not _LOCAL.match(address):
            continue
        if low.endswith(("to ", "from "), 0, start) and _RAISED.search(low, max(0, start - 60), start):
            continue
        if _MAPPED.search(low, max(0, start - 6), start):
            continue
        if re.match(r"/\d{1,2}\b", low[end : end + 3]) and address.endswith(".0"):
            continue  # a network, not a machine
        yield Hit("IP_ADDRESS", start, end, 0.9)


def _find_v6(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in _V6.finditer(low):
        start, end = match.span()
        while end > start and low[end - 1] == ":" and low[max(start, end - 2) : end] != "::":
            end -= 1
        address = low[start:end].split("%")[0]
        if "::" not in address and address.count(":") != 7:
            continue
        try:
            parsed = ipaddress.IPv6Address(address)
        except ValueError:
            continue
        if (
            parsed not in _RESOLVERS
            and not (parsed.is_loopback or parsed.is_unspecified or (parsed.is_multicast and "::" in address))
            and sum(map(str.isalnum, address)) > 3
        ):
            yield Hit("IP_ADDRESS", start, end, 0.9)


def _find_mac(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    ends = list[int]()
    for match in _MAC.finditer(folded.low):
        if len(set(match[0]) - {":", "-", "."}) > 2:
            yield Hit("MAC_ADDRESS", match.start(), match.end(), 0.95)
            ends.append(match.end())
    for match in _MAC_SAID.finditer(folded.low):
        group = match.lastindex or 1
        yield Hit("MAC_ADDRESS", match.start(group), match.end(group), 0.8)
        ends.append(match.end(group))
    for end in ends:
        if also := _MAC_ALSO.match(folded.low, end):
            yield Hit("MAC_ADDRESS", *also.span(1), 0.7)


RECOGNIZERS = (
    Recognizer("ipv4", (r"\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}",), _find),
    Recognizer("ipv6", (r"[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f]{0,4}",), _find_v6),
    Recognizer(
        "mac",
        (
            r"[0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}",
            r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
            r"[0-9a-f]{2}\.[0-9a-f]{2}\.[0-9a-f]{2}\.[0-9a-f]{2}\.[0-9a-f]{2}\.",
            r"\b(?:mac|bssid|eth|ethernet|hw ?addr(?:ess)?|macaddress|lladdr|bluetooth|physical address)\b",
        ),
        _find_mac,
    ),
)
