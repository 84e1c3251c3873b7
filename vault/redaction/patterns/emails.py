"""E-mail addresses: at any domain (an internal one too), and spelt out as "name at host dot com"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.urls import PAGES

_AT = re.compile(r"@(?=([a-z0-9](?:[a-z0-9-]{0,62}+(?:\.[a-z0-9-]{1,63}+){0,8}+)))")
_LOCAL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$")
_EDGE = ".'`*/=?!|{}&^~$#%"
_TOP = re.compile(r"[a-z][a-z0-9-]{1,}$")
_QUOTED = re.compile(r'"[^"\n@]{1,40}"$')
_APOSTROPHE = re.compile(
    r"(?!(?:[cdjlmnst]|qu|all|dell|un)')[a-z.-]{1,20}'[a-z][\w.+-]*"
)  # o'brien, but l'adresse
_SCALED = re.compile(r"[1-4](?:\.\d)?x\.(?:png|jpe?g|gif|webp|avif|svg)")  # a picture for fine screens
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(?![\d.]*\.\d{1,3}$)")
"""What a package's name is followed by."""

_NOBODYS = re.compile(
    r"(?:users?|test|no-?reply|name|e?mail|you|your\.?name|me|foo|bar|someone|admin|root|webmaster|postmaster|info|support"
    r"|hello|contact|deploy|dpo|privacy|press|sales|office|jobs|billing|(?:your|my|some|user|first|last|john|jane)[._-]?(?:e?mail|name|user|address|first|last|doe|id)\d{0,2}|j\.?doe)@example\.(?:com|org|net)|pi@raspberrypi\.local|git@(?:github|gitlab|bitbucket)\.(?:com|org)"
)
_LINES = r"under ?score|dash|hyphen|minus|guion(?: bajo)?|unterstrich|bindestrich|tiret(?: (?:du )?(?:bas|six|huit))?|traco|sublinhado"
_JOINTS = rf"(?: ?[._-] ?| (?:dot|punkt|punto|point|ponto|{_LINES}) {{}})"
_NUMBER = r"(?:\d{1,4}|zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)"
_SPELT_WAYS = (
    r"(?<![\w@.])((?:(?<!')[b-df-hj-np-rtvwxz] ){{0,2}}[a-z0-9][a-z0-9_-]{{0,30}}(?:{}[a-z0-9_-]{{1,30}}){{0,3}}(?: NUMBER){{0,4}})"
    r"(?:\s?[\[({{<]\s?(?:at|a|arroba|arobase)\s?[\])}}>]\s?|\s(?:at|arroba|arobase|klammeraffe)\s)"
    r"((?!(?:the|an?|this|that|each|every|one) dot )[a-z0-9-]{{2,30}}(?: (?:(?:dash|hyphen|minus|guion|bindestrich|tiret|traco) )?[a-z0-9-]{{2,20}}){{0,2}}(?:(?:\s?[\[({{<]\s?dot\s?[\])}}>]\s?|\s(?:dot|punkt|punto|point|ponto)\s|\.)[a-z0-9-]{{2,24}}){{1,3}})\b"
).replace("NUMBER", _NUMBER.replace("{", "{{").replace("}", "}}"))
_SPELT = re.compile(_SPELT_WAYS.format(_JOINTS.format("")))
_BRACKETED = re.compile(_SPELT_WAYS.format(_JOINTS.format(r"| ?[\[({<] ?dot ?[\])}>] ?")))
_DOTS = re.compile(r"[a-z0-9_-] ?[\[({<] ?dot ?[\])}>]")
_SPELT_END = re.compile(
    r"[.\])}>]\s?(?:com|org|net|edu|gov|io|me|co|info|biz|de|fr|es|pt|br|uk|it|nl|ch|at|be|in|au|ca|us|eu|pl|se|no|dk|fi|ie|nz|za|mx|ar|cl|pe|ru|jp|cn|kr|example|test|app|dev|xyz)$"
    r"|(?:dot|punkt|punto|point|ponto)\s?[\])}>]?\s?(?:[a-z]{2}|com|org|net|edu|gov|info|biz|example|test|app|dev|xyz|cloud|online|lan|local|museum|travel|agency|consulting)$"
)
_PATH = re.compile(r"/[a-z~]")  # behind an address of the web, and behind none of mail
_SAYS_MAIL = re.compile(
    r"\b(?:e-?mails?|e-?mailed|mails?|contact|kontakt|reach|write|send|forward|cc|address|adresse|correo|contacto|courriel|escrib\w{1,3}|schreib\w{0,3}|ecri\w{1,4})\b[^\n.;!?]{0,24}$"
    r"|(?:^|\n|: ?)$"
)
_MAILERS = re.compile(
    r"(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|ymail|rocketmail|icloud|aol|gmx|web|t-online|freenet|posteo|mailbox|proton|protonmail|tutanota|zoho|yandex|fastmail|orange|wanadoo|free|laposte|libero|uol|bol|terra|qq|naver|btinternet|sky|comcast|verizon)(?:\.[a-z]{2,3}){1,2}$"
)
_DOING = re.compile(
    r"(?:is|are|was|were|be|me|us|you|him|her|it|them|they|we|all|this|that|one|up|in|out|on|down|over|back|online|offline|live|here|there|page|site|website|shop|store|form|link|links|tickets?|job|stuff|things?|more|details|everything|available|direct|directly|looked"
    r"|(?:look|see|find|visit|check|read|watch|buy|book|order|apply|register|pay|work|shop|stay|point|host|aim|list|post|publish|block|sell|download|start|play|stream|access|stop|log|sign|arrive|meet|use|try)(?:s|es|ed|ing)?|bought|found|seen|saw|sold|paid|said|began|hosting|hosted|running|stopped|made|put|met)$"
)
"""What stands before the address of a site: "bought it at", "find us at"."""


_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_SHARED = {
    "admin",
    "administrator",
    "centos",
    "debian",
    "deploy",
    "ec2-user",
    "git",
    "pi",
    "postgres",
    "root",
    "ubuntu",
    "user",
}
"""Accounts that are nobody's."""


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in _AT.finditer(low):
        at, host = match.start(), match[1]
        start, end = _start(low, at), match.end(1)
        while host and host[-1] in ".-":
            host, end = host[:-1], end - 1
        if start is None or not host:
            continue
        if "." not in host:
            # A host alone could be a handle or a package's version: it counts where the word says so.
            if not _TOP.match(host) or not re.search(
                r"(?:e-?mail|mailto|correo|courriel|mail)\W{0,4}(?:\w+\W{1,3}){0,3}$",
                low[max(0, start - 40) : start],
            ):
                continue
        elif _ADDRESS.fullmatch(host):  # who logs in where; mail goes to a name
            if low[start:at] not in _SHARED:
                yield Hit("USERNAME", start, at, 0.8)
            if not host.startswith(("127.", "0.")) and max(map(int, host.split("."))) < 256:
                yield Hit("IP_ADDRESS", at + 1, end, 0.8)
            continue
        elif not _TOP.match(host.rsplit(".", 1)[1]):
            continue
        if _VERSION.match(host) or _SCALED.fullmatch(host) or _NOBODYS.fullmatch(low, start, end):
            continue
        if low.startswith("git@", start) and low[end : end + 1] == ":":
            continue
        if (
            low[max(0, start - 3) : start] == "://"
            and low[end : end + 1] in {"/", ":"}
            and ":" in low[start:at]
        ):
            continue
        yield Hit("EMAIL_ADDRESS", start, end, 0.95)


def _start(low: str, at: int) -> int | None:
    """Where the local part begins, if there is one."""
    local = _LOCAL.search(low, max(0, at - 64), at)
    if local is None:
        quoted = _QUOTED.search(low, max(0, at - 42), at)
        return quoted.start() if quoted else None
    start = local.start()
    if low.startswith("mailto:", max(0, start - 7)):
        return start
    # What joins words in running text is not where an address begins.
    for joint in ("=", "|", "/", "'", "`"):
        found = low.rfind(joint, start, at)
        if found >= 0 and not (joint == "'" and _APOSTROPHE.fullmatch(low, start, at)):
            start = found + 1
    while start < at and low[start] in _EDGE:
        start += 1
    return start if start < at and low[at - 1] != "." else None


def _find_spelt(folded: Folded, ends: Ends) -> Iterator[Hit]:
    spelt = _BRACKETED if _DOTS.search(folded.low) else _SPELT  # which takes half as long again
    low = folded.low
    for match in around(spelt, low, ends, 180, 160):
        if (
            _SPELT_END.search(match[0])
            and not _PATH.match(low, match.end())
            and not PAGES.search(match[2])
            and not _is_of_a_site(low, match)
        ):
            words = match[1].split(" ")
            start = (
                match.start(1)
                if len(words) < 2 or words[0] not in {"is", "mail", "email", "me"}
                else match.start(1) + len(words[0]) + 1
            )
            yield Hit("EMAIL_ADDRESS", start, match.end(2), 0.8)


def _is_of_a_site(low: str, match: re.Match[str]) -> bool:
    """Say whether somebody does something at a site: its dots are written, and no word or host tells of mail."""
    local, host = match[1], match[2]
    if " " in host and _DOING.match(local):
        return True  # whoever buys it at a site says its dots
    if low[match.end(1) : match.start(2)].strip() != "at" or " " in host or "(" in host or "[" in host:
        return False
    if host.startswith("www.") or _DOING.match(local):
        return True
    if not local.isalpha() or _MAILERS.match(host):
        return False
    return _SAYS_MAIL.search(low, max(0, match.start(1) - 44), match.start(1)) is None


RECOGNIZERS = (
    Recognizer("e-mail", (r"\S@\w",), _find, code=True),
    Recognizer(
        "e-mail in words",
        (
            r"(?:\bat|arroba|arobase|klammeraffe|[\[({<]\s?a)\s?[\])}>]?\s?[a-z0-9-]{2,30}.{0,4}(?:dot|punkt|punto|point|ponto|\.)",
            r"\b(?:at|arroba|arobase|klammeraffe) [a-z0-9-]{2,30}(?: [a-z0-9-]{2,20}){1,3} (?:dot|punkt|punto|point|ponto) ",
        ),
        _find_spelt,
        every=True,
    ),
)
