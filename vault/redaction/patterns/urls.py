"""Addresses on the web: with a scheme, with www., and without either where a profile or the words around say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around

_SCHEME = re.compile(r"\b(?:https?|ftps?|sftp|wss?)://[^\s<>\"'`{}|\\^\x01]{3,2048}")
_WWW = re.compile(
    r"www(?<![\w./@-]www)\d{0,2}\.[a-z0-9-]{1,63}+(?:\.[a-z0-9-]{1,63}+){1,6}+(?::\d{2,5})?(?:[/?#][^\s<>\"'`{}|\\^\x01]{0,2048})?"
)
_PROFILE = re.compile(
    r"(?<![\w./@-])(?:[a-z]{2,3}\.|m\.)?(?:linkedin\.com/(?:in|pub|company)|instagram\.com|facebook\.com|fb\.com|fb\.me|twitter\.com|x\.com|tiktok\.com"
    r"|t\.me|wa\.me|github\.com|gitlab\.com|youtube\.com/(?:c|channel|user|@)|youtu\.be|snapchat\.com/add|reddit\.com/(?:u|user)|twitch\.tv|linktr\.ee|ko-fi\.com|patreon\.com(?:/c(?=/))?|buymeacoffee\.com|carrd\.co|beacons\.ai|letterboxd\.com|flickr\.com/photos"
    r"|behance\.net|medium\.com|soundcloud\.com|pinterest\.com|paypal\.me|venmo\.com|steamcommunity\.com/(?:id|profiles)|onlyfans\.com|bit\.ly|calendly\.com|about\.me|vk\.com|xing\.com/profile)"
    r"/(?!(?:posts?|log ?in|sign ?up|register|about|help|support|home|explore|pricing|search|settings|policy|policies|terms|privacy|legal|jobs|careers|blog|features|download|apps?)(?![\w.-]))@?[\w.%~+-]{1,80}(?:[/?#][^\s<>\"'`{}|\\^\x01]{0,1024})?"
)
_HOSTS = r"(?:gumroad\.com|carrd\.co|itch\.io|tumblr\.com|substack\.com|bandcamp\.com|wordpress\.com|blogspot\.com|neocities\.org|wixsite\.com|weebly\.com|myportfolio\.com|livejournal\.com|deviantart\.com|bigcartel\.com|journoportfolio\.com)"
PAGES = re.compile(
    rf"(?<![\w./@-])(?!(?:www|help|support|status|docs?|api|app|apps|blog|about|on|discover|store|shop|staff|community|forums?|developers?|dev|mail|login|account|en|go|get|media|static|assets|cdn|img|images)\d?\.)[a-z0-9][a-z0-9-]{{1,62}}\.{_HOSTS}(?![\w-]|\.\w)(?:[/?#][^\s<>\"'`{{}}|\\^\x01]{{0,1024}})?"
)
"""Pages of persons, each under a name of its own at a host that many share."""

_TOPS = (
    "com|net|org|info|biz|io|co|me|dev|app|online|site|shop|store|blog|xyz|page|web|club|live|link|click|top|pro|art|studio|design|de|at|ch|fr|es|pt|it|nl|be|"
    "uk|ie|eu|pl|cz|se|no|dk|fi|br|ar|mx|cl|pe|in|au|nz|ca|us|za|ng|ke|gh|jp|kr|cn|ru|ua|tr|gr|hu|ro|example|test|gf|ma|"
    "wedding|photography|pics|gallery|band|cafe|tech|love|life"
)
_BARE = re.compile(
    rf"(?<![\w./@:-])(?<!://)[a-z0-9][a-z0-9-]{{0,62}}+(?:\.[a-z0-9-]{{1,63}}+){{0,4}}?\.(?:{_TOPS})\b(?![.-]?\w)(?::\d{{2,5}})?(?:[/?#][^\s<>\"'`{{}}|\\^\x01]{{0,1024}})?"
)
_CUE = re.compile(
    r"\b(?:web ?sites?|sites?|web ?page|web|url|urls|link|links|linktree|behance|dribbble|soundcloud|page|profile?|profil|perfil|portfolio|portafolio|portefolio|shop|shop link|store|blog|seite|webseite|homepage|pagina|sitio|enlace|lien|boutique|tienda|loja|domain|dominio|domaine|channel|canal|looks like|typed it into|visit|browse to|at|here|aqui|hier|ici)\b[^\n.]{0,30}$"
)
_MINE = re.compile(r"\b(?:my|our|mine|his|her|their|mi|mein|meine|mon|meu|minha)\b[^\n.]{0,24}$")
_KEY = re.compile(
    r"[\"']?(?:url|website|web|site|link|homepage|portfolio|linkedin|github|blog|profile|domain|sitio|pagina)[\"']?\s{0,3}[:=|,]\s{0,3}[\"']?$"
)
_STOP = ".,;:!?*'\"`_~"
_LOCAL = re.compile(
    r"(?:[a-z]+://)?(?:[^/@\s]{1,100}@)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\]|(?:(?:api|www|app|static|cdn|test|dev|staging|docs|blog|shop|auth|login|mail|my|sub|foo|bar|img|images|assets|dev|prod|admin)\d?\.)?example\.(?:com|org|net)|(?:[a-z0-9-]+\.)?(?:domain|yourdomain|mysite|yoursite|test|foo)\.(?:com|org|test)"
    r"|schemas?\.[a-z0-9.-]+|www\.w3\.org|json-schema\.org|[a-z0-9-]+\.local)(?=[:/?#\s)>\"';,\]]|$)"
)
_PUBLIC = re.compile(
    r"https?://(?:(?:[a-z-]{2,12}\.){0,2}(?:wikipedia|wiktionary|wikimedia|wikisource|wikidata)\.org/(?!wiki/(?:user|benutzer|usuario|utilisateur)(?:_talk)?:)"
    r"|developer\.(?:mozilla|apple|android)\.(?:org|com)/|docs\.(?!google\.)[a-z0-9-]{2,30}\.(?:com|org|io|dev|net)/|(?:dx\.)?doi\.org/10\.|arxiv\.org/(?:abs|pdf)/|(?:www\.)?(?:rfc-editor|ietf|iso|w3schools|man7)\.(?:org|com)/"
    r"|datatracker\.ietf\.org/doc/|stackoverflow\.com/(?:questions|a)/|pypi\.org/project/|(?:www\.)?npmjs\.com/package/|crates\.io/crates/|news\.ycombinator\.com/[a-z]{4,14}\.html|man\.archlinux\.org/|(?:www\.)?python\.org/|peps\.python\.org/"
    r"|(?:www\.)?(?:google|wikipedia|youtube|github|gitlab|reddit|amazon|apple|microsoft|openai|facebook|instagram|twitter|x|linkedin|netflix|spotify)\.(?:com|org)/?(?=[\s)>\"'`;,!?]|\.(?:\s|$)|$))"
)
"""Works of reference, manuals and the front pages of what everybody uses."""

_ASKED = re.compile(r"[?=]|(?=[a-z_-]{0,23}\d)[a-z0-9_-]{24}")
"""A question, a name or a long code in an address: it may be somebody's own."""


def _end(text: str, start: int, end: int) -> int:
    """Where an address ends: not with the sentence's own punctuation or bracket."""
    while end > start:
        last = text[end - 1]
        pair = {")": "(", "]": "["}.get(last)
        loose = pair is not None and text.count(pair, start, end) < text.count(last, start, end)
        is_own = last == "_" and text[start - 1 : start] != "_"  # of a handle, and no mark around the address
        if is_own or (last not in _STOP and not loose):
            break
        end -= 1
    return end


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for sign, pattern, score in (
        (1 << 0, _SCHEME, 0.9),
        (1 << 1, _WWW, 0.85),
        (1 << 2, _PROFILE, 0.85),
        (1 << 3, PAGES, 0.85),
    ):
        for match in pattern.finditer(low) if ends.signs & sign else ():
            end = _end(low, match.start(), match.end())
            start = match.start()
            is_public = _PUBLIC.match(low, start) is not None and not _ASKED.search(low, start, end)
            if end - start > 5 and not _LOCAL.match(low, start) and not is_public:
                yield Hit("URL", start, end, score)


def _find_bare(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in around(_BARE, low, ends, 120, 1100):
        start = match.start()
        before = low[max(0, start - 40) : start]
        has_path = "/" in match[0] and len(match[0].split("/", 1)[1]) > 2
        if (
            _CUE.search(before)
            or _KEY.search(before)
            or (has_path and ("-" in match[0] or _MINE.search(before)))
        ) and not _LOCAL.match(low, start):
            end = _end(low, start, match.end())
            if low[end : end + 1] != "(" and not _generic(match[0]):
                yield Hit("URL", start, end, 0.6)


_KNOWN = re.compile(
    r"(?:[a-z0-9-]+\.){0,2}(?:google|amazon|wikipedia|youtube|openai|microsoft|apple|stackoverflow|github|python|gmail|outlook|hotmail|yahoo|reddit|netflix|ebay|booking|airbnb|npmjs|pypi|docker|mozilla|node|asp|booking|gov"
    r")\.(?:com|org|net|co|de|fr|es|uk|io|js)(?:$|/$|[?#])"
)


def _generic(host: str) -> bool:
    """The site of a company that everybody knows says nothing about anyone."""
    return _KNOWN.match(host) is not None


_ENCODED = re.compile(r"%[c-f][\da-f](?:%[89ab][\da-f]){1,3}")  # a letter that ASCII does not have
_NAME = re.compile(r"(?=[^_]+$)[\w%'.-]*[^\W\d_]{2}(?:\+|%20)[^\W\d_][\w%'.+-]*$")
_PLACE = re.compile(r"(?=[^\d]*\d)[\w%.,'-]{1,40}(?:\+|%20)[\w%.,'+-]{2,200}$")
_PERSONAL = re.compile(
    r"[?&;](?:amp;)?(?:(?:[a-z]{1,20}_)?(?:full|first|last|sur|given)?(?P<name>name|nombre|nom|nome|vorname|nachname|apellidos?)"
    r"|(?:[a-z]{1,20}_)?(?P<place>address|addr|street|strasse|anschrift|adresse|direccion|rue|calle|endereco|rua)"
    r"|(?:[a-z]{1,20}_)?(?P<phone>phone|mobile|tel|telephone|telefon|telefono|telefone|cell|handy|movil)(?:_?(?:no|nr|num|number))?"
    r"|(?P<birth>dob|(?:date_?of_?)?birth(?:_?(?:date|day))?|geburtsdatum|nacimiento|naissance|nascimento)"
    r"|(?P<plate>(?:licen[cs]e|number|registration)_?plate|plate(?:_?(?:no|nr|num|number))?|kennzeichen))"
    r"\d?=(?P<value>[^&;#\s\"'<>]{3,240})"
)
_ASKED_FOR: Final = (
    ("name", "PERSON", _NAME),
    ("place", "ADDRESS", _PLACE),
    ("phone", "PHONE_NUMBER", re.compile(r"(?:%2b|\+)?(?:%28|%29|%20|[+ ().-])*+(?:\d(?:%28|%29|%20|%2f|[+().-])*+){7,15}$")),
    ("plate", "LICENSE_PLATE", re.compile(r"(?=[^\d]*\d)(?=\d*[a-z])[a-z\d]{1,8}(?:(?:%20|[+-])[a-z\d]{1,5}){0,3}$")),
    ("birth", "DATE_OF_BIRTH", re.compile(r"\d{1,4}(?:%2f|[./-])\d{1,2}(?:%2f|[./-])\d{1,4}$|(?:19|20)\d{6}$")),
)  # fmt: skip


def _find_asked(folded: Folded, ends: Ends) -> Iterator[Hit]:
    """Names and addresses in what an address of the web asks: of an example's host, or of one's own machine."""
    for match in around(_PERSONAL, folded.low, ends, 40, 250):
        for group, entity, form in _ASKED_FOR:
            if match[group] and form.match(_ENCODED.sub("e", match["value"])):
                yield Hit(entity, *match.span("value"), 0.7)


RECOGNIZERS = (
    Recognizer(
        "values in addresses",
        (
            r"[?&;][a-z_]{0,30}(?:name|nombre|nom|nome|apellidos?|address|addr|street|strasse|anschrift|adresse|direccion|rue|calle|endereco|rua)\d?=",
            r"[?&;][a-z_]{0,30}(?:phone|mobile|tel|telephone|telefon|telefono|telefone|cell|handy|movil|no|nr|num|number)\d?=",
            r"[?&;][a-z_]{0,30}(?:dob|birth|date|day|geburtsdatum|nacimiento|naissance|nascimento)\d?=",
            r"[?&;][a-z_]{0,30}(?:plate|no|nr|num|number|kennzeichen)\d?=",
        ),
        _find_asked,
        every=True,
    ),
    Recognizer(
        "urls",
        (r"://", r"\bwww\d{0,2}\.", r"\.(?:com|me|tv|ee|net|be|ly|co|ai)/", rf"[a-z0-9]\.{_HOSTS}"),
        _find,
    ),
    Recognizer("hosts", (rf"[a-z0-9]\.(?:{_TOPS})\b",), _find_bare, every=True),
)
