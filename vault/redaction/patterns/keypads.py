"""Codes of doors, gates, safes and cards, sessions in cookies, passwords in commands."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer

_LOCK = r"(?:gate|alarm|lock ?box|key ?safe|key ?box|keypad|door(?: [a-f])?|safe|buzzer|garage|zahlenschloss|tresor|cajita|caja fuerte|cofre|coffre|digicode|portail|portao|alarma|alarme|padlock)"
_KEYPAD = re.compile(
    rf"\b{_LOCK}(?:(?: code| pin| off| on)?(?: is|:| =| was|,| to| turn to| ist| es| est| e)?){{1,3}}[ :]{{1,2}}"
    r"(\d{1,2}(?:(?: ?- ?| |\*)\d{1,2}){2,5}[#*]?|\d{3,8}[#*]|[#*]\d{3,8}|\d{2,4}[*#]\d{1,4}|(?:(?<=is )|(?<=: ))\d{4,6})(?![\w%]|[.,:/-]\d| (?:km|kg|mm|cm|am|pm)\b| ?[x\u00d7] ?\d)"
)
_BACK = re.compile(
    r"\bexp(?:iry|ires|\.)?:? ?\d\d ?/ ?\d\d(?:\d\d)?,? (?:cvv |cvc |code |and )?(\d{3,4})(?![\w/-]|[.,:]\d)"
    r"|\b(?:3|three|4|four) (?:digits|numbers) on (?:the )?(?:back|front)\W{1,4}(?:are |is )?(\d{3,4})(?![\w/-]|[.,:]\d)"
    r"|(?<!\d)\d{13,19}[|,;: ]{1,3}\d\d/\d\d(?:\d\d)?[|,;: ]{1,3}(\d{3,4})(?![\w/-]|[.,:]\d)"
    r"|(?<!\d)\d{13,19}[|,; ]{1,3}(\d{3,4})[|,; ]{1,3}\d\d/\d\d"
)
_COOKIE = re.compile(
    r"\b(?:(?:sid|sessionid|session_id|phpsessid|jsessionid|connect\.sid|csrftoken|auth_token|sessid)="
    r"|(?:(?:\w{1,20}_)?session|(?:remember|access|refresh)_token|jwt)=(?=[a-z_.%-]{0,255}\d))([\w.%-]{12,256})"
)
_COMMAND = re.compile(
    r"\bredis-cli\b[^\n|;]{0,60}? -a ([^\s'\"]{4,64})|\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]{0,80}? -p([^\s'\"-][^\s'\"]{3,64})|\bsshpass -p ?['\"]?([^\s'\"]{4,64})"
)
_SET = re.compile(
    r"(?<![\w$.-])(?:[A-Z0-9]{1,20}_){0,5}[A-Z]{0,4}(?:PASS(?:WORD|WD|PHRASE)?|PWD)=[\"']?([a-zA-Z]{4,40}(?:-[a-zA-Z]{1,40}){0,6})(?=[\"']?(?:\s|$))"
)
"""A variable of the environment whose value is a word."""

_OPTION = re.compile(
    r"(?<![\w-])--(?:[a-z]{1,16}-)?pass(?:word|wd|phrase)?[ =][\"']?([a-zA-Z][\w-]{3,40})(?=[\"']?(?:[ \t]*(?:$|\n|[\\|;&])| -| [./~]| \w))",
    re.MULTILINE,
)
_VARIABLE = re.compile(
    r"\b(?:variable|secret|output|parameter) \"[\w-]{0,40}(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|private_?key|access_?key)\"[^{}\n]{0,60}\{[^{}]{0,400}?"
    r"\b(?:default|value)\s{0,20}=\s{0,3}\"([^\"\n$]{4,128})\""
)
"""What is secret by the name of the block around it."""

_ANYBODYS = re.compile(
    r"(?:my|your|some|super|new|old|db|the|[_-]){0,4}(?:secret|secure|strong|example|test|root|admin|postgres|mysql|change-?me|default|guest|dev|local)?[-_]?(?:pass(?:word|wd|phrase)?|pw|pwd|secret|here|me)?$",
    re.IGNORECASE,
)
"""What stands there in examples."""

_OPTIONS = (
    "also and argument arguments because does enabled fail failed false file flag flags from input into"
    " isn't must none not null option options param parameter parameters prompt required should stdin"
    " string switch this true unset value values what when with without yes your"
)
_OF_OPTIONS = frozenset(_OPTIONS.split())

_OPENED = re.compile(
    r"\b(?:phone|i?pad|tablet|laptop|computer|screen|kindle|mobile|i ?phone|watch)(?:'s)? (?:unlocks?|opens|locks|unlock code is|lock is) (?:with|using|is) (\d{4,10})(?![\w%]|[.,:/-]\d)"
)
_TURNS = re.compile(
    r"\b((?:turn )?(?:left|right|clockwise|anti-?clockwise)(?: to)? \d{1,3}(?:(?:, ?|; ?| then | and |, then | )(?:back )?(?:left|right|clockwise|anti-?clockwise)(?: to)? \d{1,3}){1,4})\b"
)
_LOCKED = re.compile(r"\b(?:safe|combo|combination|lockers?|padlock|lock|dial|tresor)\b")
_NETWORK = re.compile(
    r"\b(?:network|ssid)\b[^\n]{1,40}\bkey\b(?: is)?[: ]{1,2}((?=\S{0,40}\d)[^\s,;]{6,63})|\bwi-?fi:? [\w-]{2,24} / ((?=\S{0,40}[\d!@#$%&*_+])[^\s,;]{6,63}(?<!\.))"
)
_SEED = re.compile(
    r"\b(?i:totp|otp|2fa|mfa|authenticator)\b[^\n]{0,60}?\b(?=[A-Z2-7 ]{0,20}[2-7])([A-Z2-7]{4}(?: [A-Z2-7]{4}){3,12})\b"
)


def _is_set(value: str, _before: str) -> bool:
    return value[0] not in "$<{%"


def _is_chosen(value: str, _before: str) -> bool:
    """Say whether a word is somebody's password, and no example, and nothing about options."""
    return not (value.isupper() or _ANYBODYS.match(value) or value.lower() in _OF_OPTIONS)


_FORMS = (
    Form("codes of locks", rf"\b{_LOCK}[^\n\d]{{1,30}}\d", _KEYPAD, 48, 24),
    Form("codes of cards", r"\d\d/\d\d|\bon (?:the )?(?:back|front)\b", _BACK, 40, 26),
    Form("combinations in turns", r"(?:left|right|clockwise)(?: to)? \d", _TURNS, 24, 120, where=_LOCKED),
    Form("keys of networks", r"\bkey\b(?: is)?[: ]|\bwi-?fi:? [\w-]{2,24} /", _NETWORK, 60, 70),
    Form("seeds of codes", r"\b(?:totp|otp|2fa|mfa|authenticator)\b", _SEED, 16, 150, cased=True),
    Form("sessions", r"(?:sid|session(?:_?id)?|phpsessid|jsessionid|csrftoken|(?:auth|remember|access|refresh)_token|sessid|jwt)=", _COOKIE, 32, 258, code=True),
    Form("passwords in commands", r"\b(?:redis-cli|mysql|mysqldump|mysqladmin|mariadb|sshpass)\b", _COMMAND, 14, 160, code=True, fits=_is_set),
    Form("codes of screens", r"\b(?:unlocks?|opens|locks?)(?: \w{2,5}){0,2} \d", _OPENED, 40, 14),
    Form("passwords of the environment", r"(?:pass(?:word|wd|phrase)?|pwd)=[\"']?[a-z]", _SET, 64, 130, cased=True, code=True, fits=_is_chosen),
    Form("secrets of variables", r"(?:default|value)\s{0,20}=\s{0,3}\"", _VARIABLE, 560, 132, code=True, fits=_is_chosen),
    Form("passwords of options", r"--(?:[a-z]{1,16}-)?pass(?:word|wd|phrase)?[ =]", _OPTION, 32, 64, code=True, fits=_is_chosen),
)  # fmt: skip
RECOGNIZERS = tuple(recognizer("SECRET", form, 0.75) for form in _FORMS)
