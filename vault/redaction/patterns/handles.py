"""User names and handles: @handles, and what follows "username", "gamertag", "insta" and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.forms import Form, recognizer
from vault.redaction.patterns.passwords import says_how
from vault.redaction.segments.labels import names_a_field
from vault.redaction.technical import is_technical

_AT = re.compile(r"@(?<![\w@.+/`%-]@) ?([a-z_][\w.-]{1,30}\w)(?![\w@(])(?!\.\w|/|-\w)")
_CODE_AT = re.compile(
    r"(?:property|staticmethod|classmethod|dataclass|override|overload|media|import|param|return|returns|throws|app|pytest|abstractmethod|cached_property|lru_cache|cache|functools|autowired|bean|component|service|controller|test|todo|gmail|googlemail|hotmail|outlook|yahoo|icloud|mentions?|[\w-]+-team|see|since|author|deprecated|keyframes|font-face|charset|supports|layer|tailwind|apply|everyone|here|channel|all|media|types|babel|angular|vue|nestjs|click|get|post|put|delete|requestmapping|getmapping|inject|injectable|entity|column|table|id|data|builder|getter|setter|nullable|notnull|latest|next|main|v\d.*|v[\d.]+|[a-f0-9]{7,40})$"
)
_CUE = (
    r"(?:user ?-?names?|user(?: ?id| code|'s)?|login(?: name| id)?|log ?in as|handles?|handle's|gamer ?tags?|gt|ign|psn(?: id)?|xbox(?: live)?(?: tag)?|origin id|epic(?: id)?|steam(?: id| name)?|discord|insta(?:gram)?|ig|snap(?:chat)?|tiktok|tik tok|twitter|telegram|tele|kakao(?: ?talk)?(?: id)?|zalo|line id|wechat|twitch|youtube|roblox|minecraft|reddit|skype|nick(?:name|s)?|screen ?name|account(?: name)?|acc|display name|player|seller name|scammer|"
    r"channel|usuari[oa]|benutzer(?:name|kennung)?|nutzername|anmeldename|spielername|gebruiker(?:snaam)?|inlognaam|(?:nome )?utente|utilizador|(?:nom d')?utilisateur|identifiant|pseudo|apelido|apodo|alias|aka|a\.k\.a|tag|ldap|uid|code name|pppoe|kundenkonto|duo|gt is|profile?|perfil|conta|cuenta|konto|compte|clan|kicked|is on the internet under|known as|show up as|on the forum|forum|summoner name|clan leader|leader|realm|host is|logs me in as|signers?|son's is|band as|gamer ?names?|gaming name|my @|add me|banned|made|impersonat\w{2,3}|trade bot|ingame|in-game|db_user|ign|kick|line)"
)
_SAID = re.compile(
    r"(?P<mid>[\"']?(?:\b(?:on|at|for|in|auf|en|sur) [a-z0-9][a-z0-9.-]{1,20} (?=is\b|ist\b|es\b|est\b)|[ :=>,(\"'|?\n-]|\b(?:is|was|are|its|it's|it|es|era|ist|war|est|e|o|el|le|il|i'm|im|my|name|id|at|on|here|as|the|there|eh|de|do|literally|now|called|se|llama|soy|sou|ich bin|je suis|his|her|their|old|new|still|under|invalid|for)\b){1,10})[\"'(@]{0,2}(?P<value>(?<![\w@])[a-z0-9][\w.#/@-]{1,40})"
)
_LAST_CUE = re.compile(rf"(?<![\w@])(?:{_CUE})$")
_IRC = re.compile(
    r"^\[?(?:\d{4}-\d\d-\d\d[ T])?\d\d?:\d\d(?::\d\d)?\]? <?([A-Za-z][\w.|-]{2,30})>?[:>]|^<([A-Za-z][\w.|-]{2,30})> ",
    re.MULTILINE,
)
_TAGGED = re.compile(r"(?<![\w@#/.])[a-z_][\w.]{2,30}#\d{4,5}(?!\w)")
_XX = re.compile(r"(?<![\w@])xx?_\w{2,30}_xx?(?!\w)")
_NO_NAME_ELSEWHERE = (
    r"contrasenas?|claves?|incorrect[oa]s?|invalid[oa]s?|final(?:es)?|nuev[oa]s?|registrad[oa]s?|comun(?:es)?|invitad[oa]s?|bloquead[oa]s?|actual(?:es)?|(?:in)?activ[oa]s?|normal(?:es)?|habitual(?:es)?|medio|avanzado|anonim[oa]s?|desconocid[oa]s?|(?:in)?existente|nunca|siempre|para|esta|tiene|puede|debe|olvidad[oa]|equivocad[oa]|erroneo|correct[oa]s?|disponible|ocupado|temporal|unico|propio|suspendid[oa]"
    r"|nov[oa]s?|senhas?|padrao|comum|esquecid[oa]|errad[oa]|logad[oa]|cadastrad[oa]|(?:in)?ativ[oa]|invalido|precisa"
    r"|oublie|invalides?|inconnu|existant|nouveau|perdu|errone|valide|deja|indisponible|incorrects?"
    r"|oder|vergessen|vergeben|falsch|ungultig|unbekannt|existiert|bereits|schon|nicht|wurde|wird|richtig|fehlt|gesperrt|verloren|stimmt|geandert|passt|eingeben|inaktiv|aktiv"
    r"|vergeten|onjuist|ongeldig|onbekend|bestaat|verkeerd|geblokkeerd|niet|werkt|kwijt|gevonden|aanmaken|wijzigen|invoeren|voor|moet|krijgt|kan|heeft|wordt|wachtwoord"
    r"|dimenticat[oa]|pers[oa]|errat[oia]|sbagliat[oa]|valid[oa]|esistente|bloccat[oa]|sconosciut[oa]|corrett[oa]|deve|riceve|gia|della|dello|finale|registrat[oa]"
)
"""What is said of a user, or beside one, in Spanish, Portuguese, French, German, Dutch and Italian."""

NO_NAME = re.compile(
    rf"(?:{_NO_NAME_ELSEWHERE}|"
    r"name|names|and|the|is|was|not|has|have|had|with|for|from|that|this|your|you|but|can|can't|cannot|will|won't|doesn't|isn't|account|accounts|password|pass|page|pages|login|log|user|users|profile|it|its|it's|in|on|to|of|or|at|are|be|me|my|mine|new|old|too|also|only|just|says|said|story|stories|post|posts|bio|works|working|worked|keeps|got|gets|being|does|did|do|no|yes|yet|still|here|there|so|if|when|how|what|who|why|which|they|he|she|we|i|an|a|as|by|all|any|id|number|no\.|nr|screen|button|error|failed|blocked|hacked|banned|locked|deleted|dm|dms|live|party|friends?|chat|group|server|app|followers?|manager|holder|data|input|agent|interface|experience|guide|manual|story|stories|table|service|details|info|information|settings|link|url|video|videos|music|channel|stream|streamer|games?|player|club|username|e?mail|used|must|could|should|would|may|might|like|cooler|better|nicer|taken|free|available|already|unique|required|optional|missing|empty|null|none|string|text|wrong|correct|valid|invalid|too|very|really|something|same|private|visible|different|generator|history|ideas?|antigo|antiguo|alte|neue|ancien|twice|again|either|neither|instead|anyway|placeholder|properly|or|and|after|before|brother|sister|ella|full|real|whole|actual|first|last|birthday|birthdate|gov\.br|(?:[a-z0-9-]+\.)?(?:chess|reddit|twitter|instagram|facebook|github|gitlab|roblox|steam|twitch|discord|vinted|strava|booking|airbnb|ebay|etsy|t)\.(?:com|org|net|me|tv|gg)|\d{1,4}k|v?\d+(?:\.\d+)+\S*|\d{1,2}-\d{1,2}s)$"
)


def telling(value: str, original: str) -> bool:
    """It looks made up: digits, underscores, dots within, or capitals inside of it."""
    inner = (
        any(map(str.isupper, original[1:]))
        and any(map(str.islower, original))
        and not original.endswith("'s")
    )
    return bool(re.search(r"[a-z][a-z.]*\d|\d[a-z]|_|[a-z]\.[a-z]|#\d|[a-z]-[a-z]{3,}\d", value)) or inner


def _find_at(folded: Folded, ends: Ends) -> Iterator[Hit]:
    signs = ends.signs
    for match in _AT.finditer(folded.low) if signs & 1 << 0 else ():
        if not _CODE_AT.match(match[1]) and (
            match[0][1] != " " or telling(match[1], folded.text[match.start(1) : match.end(1)])
        ):
            yield Hit("USERNAME", match.start(), match.end(), 0.7)
    for pattern, there in ((_TAGGED, "#" in folded.low), (_XX, signs & 1 << 2)):
        for match in pattern.finditer(folded.low) if there else ():
            yield Hit("USERNAME", match.start(), match.end(), 0.7)
    for match in _IRC.finditer(folded.text) if signs & (1 << 3 | 1 << 4) else ():
        group = match.lastindex or 1
        if telling(match[group].lower(), match[group]):
            yield Hit("USERNAME", match.start(group), match.end(group), 0.6)


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{12}")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HOST = re.compile(r"\.(?:com|io|org|net|dev|cloud|gov|edu|ai)$")
_ALWAYS = re.compile(
    r"(?:user ?-?names?|usuari[oa]|benutzername|nutzername|anmeldename|gebruikersnaam|inlognaam|nome utente|utilizador|nom d'utilisateur|gamer ?tag|identifiant)$"
)
_CLOSES = re.compile(
    r"[\"'*`)]{0,2}(?:\s?[,.;)\n/]|$| (?:and|y|und|et|e|on|pw|pass\w{0,4}|with|but|for|isn't|doesn't|keeps|at|@)\b)"
)
"""What a name is followed by that nothing joins to "username": "username must be" goes on otherwise."""

_DIRECT = re.compile(
    r"(?:user ?-?names?|user(?: ?id)?|login(?: name)?|log ?in as|handle|gamer ?tag|ign|psn id|nick(?:name)?|screen ?name|usuario|benutzername|nutzername|anmeldename|spielername|gebruikersnaam|inlognaam|nome utente|utilizador|nom d'utilisateur|identifiant|pseudo|alias|apodo|origin id|user's|account name)[\"']?$"
)


_SET = re.compile(r"\s?=\s?['\"\d?$:]")
"""What stands behind the name of a column or a variable."""

_OPENING = 3  # characters before a cue that say whether it is one of a list
_IN_BRACKETS = re.compile(r"(?:,\s?[\w.\"`]{1,40}){1,40}\s?\)")
"""The rest of a list of columns or parameters."""


def _find_said(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, at = folded.low, -1
    for cue_end in sorted(set(ends)):
        match = _SAID.match(low, cue_end) if cue_end > at else None
        if match is None:
            continue
        start, end = match.span("value")
        while end > start and low[end - 1] in ".-/@#":
            end -= 1
        value, original = low[start:end], folded.text[start:end]
        last = _LAST_CUE.search(low, max(0, cue_end - 24), cue_end)
        cue = last[0] if last else ""
        joined = re.search(r"[:=\"]|\b(?:is|was|es|ist|est|e)\b", match["mid"]) or cue in {
            "aka",
            "alias",
            "user",
            "usuario",
            "login",
        }
        if (
            len(value) < 3
            or value in {"n.o", "n.\xba", "n.\xb0"}  # a number comes
            or value.isdigit()
            or ("@" in value[1:] and "." in value)
            or ("/" in value and not value[:1].isdigit())
        ):
            continue
        if _CONSTANT.fullmatch(original) and not _ALWAYS.match(cue):
            continue  # of a program: SAP_ALL
        if _SET.match(low, end) or (match["mid"].strip() == "," and names_a_field(value)):
            continue
        if (cue == "uid" and _UUID.match(value)) or EVERYBODYS.match(value) or is_technical(value):
            continue
        if cue == "login" and _HOST.search(value) and " " in match["mid"]:
            continue  # where one logs in: docker login ghcr.io
        is_all = cue_end == len(cue) and end == len(low)  # a field and its value
        if (
            cue in {"user", "login"}
            and not (is_all or re.search(r"=|[\"']:", match["mid"]))
            and not telling(value, original)
        ):
            continue
        if match["mid"].strip() == "," and not telling(value, original):
            opening = low[max(0, cue_end - len(cue) - _OPENING) : cue_end - len(cue)]
            in_brackets = opening.endswith("(") and _IN_BRACKETS.match(low, end) is not None
            if in_brackets or opening.rstrip().endswith(","):
                continue  # the next of a list of fields
        named = _DIRECT.match(cue) and not NO_NAME.match(value) and len(value) > 3
        if (telling(value, original) and not NO_NAME.match(value)) or (
            named and (joined or (_ALWAYS.match(cue) and _CLOSES.match(low, end)))
        ):
            yield Hit("USERNAME", start, end, 0.7)
            at = end
            while following := _ALSO.match(low, at):
                at = following.end(1)
                if telling(following[1], folded.text[following.start(1) : at]):
                    yield Hit("USERNAME", following.start(1), at, 0.6)


def _find_on(folded: Folded, ends: Ends) -> Iterator[Hit]:
    stated = (*around(_STATED, folded.low, ends, 44, 44), *around(_SIGNED_IN, folded.low, ends, 44, 44))
    for match in stated:
        value = match["value"]
        if (
            not NO_NAME.match(value)
            and not EVERYBODYS.match(value)
            and _CLOSES.match(folded.low, match.end())
        ):
            yield Hit("USERNAME", match.start("value"), match.end("value"), 0.6)
    for match in around(_OWN, folded.low, ends, 64, 64):
        group = match.lastgroup or ""
        value = match[group]
        start, end = match.span(group)
        general = NO_NAME.match(value) or EVERYBODYS.match(value) or _IN_GENERAL.match(value)
        if general or says_how(value) or is_technical(value):
            continue
        if group == "listed":
            said = _SOMEBODYS.search(folded.low, max(0, start - _ABOVE), start)
        else:
            said = _CLOSES.match(folded.low, end)
        if said or group == "found":
            yield Hit("USERNAME", start, end, 0.6)
    for pattern in (_ON, _SELF):
        for match in around(pattern, folded.low, ends, 44, 44):
            value = match[1]
            if (
                re.search(r"_|\d", value)
                and re.search(r"[a-z]{3}", value)
                and telling(value, folded.text[match.start(1) : match.end(1)])
            ):
                yield Hit("USERNAME", match.start(1), match.end(1), 0.5)


_ALSO = re.compile(
    r"(?:, ?(?:and )?| and | or | oder | und | y | o | ou | e | / )@?([a-z0-9][\w.#-]{2,30}\w)(?![\w(])"
)
_ON = re.compile(
    r"(?<![\w@./-])([a-z0-9][\w.-]{3,30}) (?:on|in|auf|en|sur|no|bei) (?:here|insta|instagram|steam|discord|twitch|xbox|psn|tiktok|snap|snapchat|twitter|telegram|reddit|minecraft|roblox|youtube|the forum|valorant|fortnite)\b"
)
_PLATFORM = r"(?:insta(?:gram)?|ig|snap(?:chat)?|tik ?tok|twitter|telegram|twitch|discord|steam|xbox(?: live)?|psn|roblox|reddit|skype|kik|strava|vinted|github|bluesky|tumblr)"
_STATED = re.compile(
    r"(?:\b(?:my|his|her|their|our|hers)\s|[,;(]\s?)"
    rf"{_PLATFORM}\s?:\s{{0,2}}@?(?P<value>[a-z][\w.-]{{2,30}}\w)(?![\w@/:])"
)
_OWN = re.compile(
    rf"\b(?:my|his|her|their|our|mein|mi|mon|meu) {_PLATFORM} (?:user|name|id|tag|handle|ign|nick)"
    r"(?:\s?[:=]|(?:'s| is| ist| es| est| e)\b)\s{0,2}@?(?P<value>[a-z][\w.-]{2,30}\w)(?![\w@/:])"
    rf"|\b(?:find|add|follow|look up|message|dm) me (?:as|under|by|@) ?@?(?P<found>[a-z][\w.-]{{2,30}}\w) on {_PLATFORM}\b"
    rf"|^[-*\u2022 ]{{0,3}}{_PLATFORM}\s?:[ \t]{{0,2}}@?(?P<listed>[a-z][\w.-]{{2,30}}\w)[ \t]{{0,4}}$",
    re.MULTILINE,
)
_IN_GENERAL = re.compile(
    r"(?:friends?|contacts?|members?|admins?|mods?|guests?|yes|handle|only|ads?|marketing|campaigns?|posts?|videos?|reels?|stories|story|links?|login|support|owner|well|offline|online|busy|away|idle|servers?|bots?|news|memes|photos|threads)$"
)
_SOMEBODYS = re.compile(r"\b(?:me|my|mine|his|her|hers|their|socials?|handles?|contacts?|user ?names?)\b")
"""What makes a list of platforms one of somebody's names there."""

_ABOVE = 120  # how far a list may be from that
_SIGNED_IN = re.compile(
    r"\b(?:log(?:ged)? ?in|sign(?:ed)? ?in|logging in|signing in)(?: to [\w.-]{2,20})? as @?(?!\w{0,12}(?:admin|user|owner|guest|member|staff|teacher|student|customer|seller|host|editor|manager|root)\b|(?:an?|the|my|some|different|another|normal|regular|standard|usual|expected|soon|well|long|much|quickly|follows|shown|described)\w{0,6}\b)(?P<value>[a-z][\w.-]{2,30}\w)(?![\w@/:])"
)
_SELF = re.compile(
    r"\b(?:i'?m|i am|she'?s|he'?s|hes|shes|soy|sou|ich bin|known as|goes by|called|discord as|steam as|streams as|publish at \w+ as|login|from|saves of|other'?s|other acc|another acc)[ .:]{1,2}@?([a-z][\w.-]{2,30}\w)(?![\w(@/])"
)
_ACCOUNTS = re.compile(
    r"(?:/home/|/users/|\\users\\)([a-z][\w.-]{2,30})(?=[/\\])|\\\\[\w.-]{1,40}\\(?:home|users|profiles)\$?\\([a-z][\w.-]{2,30})|://[^\s/]{1,80}/~([a-z][\w.-]{2,30})|\b(?:for|user) (?!invalid|root|the|a\b)([a-z][\w.-]{2,30}) from (?=[0-9a-f]{1,4}[.:])"
    r"|^(?:[0-9a-f:.]{7,40}) - ([a-z][\w.@-]{2,30}) (?=\[)|\buser '([a-z][\w.-]{2,30})'@|\buid=([a-z][\w.-]{2,30})(?=,)|^(?:\w{1,20}_)?user(?:name)?=([a-z][\w.-]{2,30})$"
    r"|^user: ([a-z][\w.-]{2,30})$|\b(?:admin|login|user|creds?|credentials): ?([a-z][\w.@-]{2,40}) ?/ ?(?=\S{5})"
    r"|\b(?:pwd|home)=/(?:home|users)/([a-z][\w.-]{2,30})(?=[\s;,]|$)",
    re.MULTILINE,
)
_SPEAKER = 9  # the group of a line "user: name"
_TALK = re.compile(r"^(?:chat)?(?:bot|assistant|agent|ai|support)(?: [a-z]{2,12})?:", re.MULTILINE)
EVERYBODYS = re.compile(
    r"(?:root|admin|administrator|ubuntu|user|username|postgres|mysql|git|www-data|nobody|guest|test|docker|node|runner|app|deploy|public|shared|default|system|daemon|anonymous|unknown|service|human|automoderator|ec2-user|pi|vagrant|sa|jenkins|backup|cron|daemon|alice|bob|foo|bar|you|me|your\w*|my\w*|example|name)$"
)
_NEAR = re.compile(
    r"(?<![\w@./#=-])(?=[a-z]{3,20}_[a-z0-9]{3,20}\b|[a-z]*_?[a-z]+\d{2,4}\b)([a-z][a-z0-9]{1,20}(?:_[a-z0-9]{2,20})?)(?![\w(@=./-]|\.\w)"
)
_PLAY = r"(?:gamer|discord|minecraft|twitch|roblox|fortnite|valorant|steam|clan|ban|banned|trade|friend|friends|followers?|dms?|signers|valheim|viking|server ip|impersonate|gaming|ingame|guild|raid|tag me|stream)"


def _find_accounts(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    is_talk: bool | None = None  # asked once
    for match in _ACCOUNTS.finditer(folded.low):
        group = match.lastindex or 1
        if group == _SPEAKER:
            is_talk = _TALK.search(folded.low) is not None if is_talk is None else is_talk
            if is_talk:
                continue
        if not EVERYBODYS.match(match[group]):
            yield Hit("USERNAME", match.start(group), match.end(group), 0.6)


def _find_near(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_NEAR, folded.low, ends, 110, 110):
        if "_" in match[1] and not _SNAKE.match(match[1]):
            yield Hit("USERNAME", match.start(1), match.end(1), 0.5)


_SNAKE = re.compile(
    r"(?:get|set|is|has|on|to|from|my|user|file|data|max|min|num|new|test|server|client|api|node|utf8|view|player|item|guild|channel|message|bot|discord|steam|app|level|game|spawn|entity)_|.*_(?:id|name|key|token|data|url|path|file|type|list|count|time|size|py|js|api|bot|server|error|config|event|handler|message|members?|guild|channel|client|items?|code|mode|level|max|min)$"
)
_CASH = re.compile(r"(?<![\w$])(\$[a-z][\w-]{3,20})(?![\w$])")
_CASH_APP = re.compile(r"\b(?:cash ?tags?|cash ?app|venmo|chime)\b")
_TICKER = re.compile(r"\$[A-Z]{1,5}$")


def _is_no_ticker(value: str, _before: str) -> bool:
    return not _TICKER.match(value)


_STATE = (
    r"(?:locked|unlocked|locked out|active|inactive|activated|deactivated|disabled|enabled|banned|unbanned|suspended|expired|blocked|deleted|pending|verified|unverified|online|offline|password reset|never logged in|last (?:seen|login)"
    r"|bloquead[oa]|inactiv[oa]|activ[oa]|inativ[oa]|ativ[oa]|suspendid[oa]|gesperrt|deaktiviert|inaktiv|aktiv|bloque|inactif|actif|desactive)"
)
_IN_A_STATE = re.compile(
    rf"\b(?:user ?-?names?|gamer ?tag|login name|account name|benutzername|nutzername|identifiant|utilizador|(?P<user>user|login)) [\"'`]?@?([a-z][\w.-]{{2,30}}\w)[\"'`]?"
    rf"(?: ?(?::|->|=>|=|\u2192|\u2013|\u2014) ?| ?- | \()(?:(?:is|was|got|has been|ist|esta|est) )?{_STATE}(?!\w)"
)
_ASPECT = re.compile(
    r"(?:fields?|columns?|check\w{0,3}|validat\w+|formats?|polic(?:y|ies)|chang\w+|lengths?|status|state|lookups?|requests?|prompts?|boxe?s?|labels?|updates?|entry|autofill|search|availability|suggestions?|recovery|rules?|options?|nuevo|final|actual)$"
)
"""What a username has, and no username."""


def _is_in_a_state(match: re.Match[str]) -> bool:
    """Say whether a word before a state is a user: behind "user" alone it is none that anybody knows."""
    value = match[2]
    if NO_NAME.match(value) or EVERYBODYS.match(value) or _ASPECT.match(value) or is_technical(value):
        return False
    return not match["user"] or unheard(value)


def unheard(value: str) -> bool:
    """Say whether nobody knows a word: asked of the name model's words, which load when they are needed."""
    from vault.redaction.names import is_unheard

    return is_unheard(value)


def _find_in_states(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_IN_A_STATE, folded.low, ends, 90, 4):
        if _is_in_a_state(match):
            yield Hit("USERNAME", *match.span(2), 0.6)


RECOGNIZERS = (
    recognizer(
        "USERNAME", Form("cashtags", r"\$[a-z][\w-]{3}", _CASH, 6, 24, where=_CASH_APP, fits=_is_no_ticker)
    ),
    Recognizer(
        "account names",
        (
            r"/home/[a-z]|[/\\](?:home|users|profiles)\$?[/\\][a-z]|://[^\s/]{1,80}/~[a-z]|(?:for|user) [a-z][\w.-]{2,30} from [0-9a-f]",
            r"[0-9a-f] - [a-z][\w.@-]{2,30} \[|user '[a-z][\w.-]{2,30}'@|uid=[a-z]|user(?:name)?=[a-z]|^user: [a-z]|(?:admin|login|user|creds?|credentials): ?[a-z][\w.@-]{2,40} ?/",
        ),
        _find_accounts,
        code=True,
    ),
    Recognizer("names in games", (rf"\b{_PLAY}\b",), _find_near, every=True),
    Recognizer(
        "handles",
        (
            r"@ ?[a-z_][\w.-]{2}",
            r"[a-z]#\d{4}",
            r"xx?_\w{2,30}_xx?",
            r"^\[?(?:\d{4}-\d\d-\d\d[ t])?\d\d?:\d\d(?::\d\d)?\]? <?[a-z][\w.|-]{2}",
            r"^<[a-z][\w.|-]{2}",
        ),
        _find_at,
    ),
    Recognizer(
        "names on platforms",
        (
            r"\b(?:here|insta|instagram|steam|discord|twitch|xbox|psn|tiktok|snap|snapchat|twitter|telegram|reddit|minecraft|roblox|youtube|forum|valorant|fortnite)\b",
            r"_\w",
            r"\b(?:ig|kik|skype|strava|vinted|github|bluesky|tumblr|tik tok) ?:|(?:log|sign|logging|signing)\w{0,3} ?in\b",
        ),
        _find_on,
        every=True,
    ),
    Recognizer("user names in a state", (rf"\b{_STATE}\b",), _find_in_states, every=True),
    Recognizer("user names", (rf"(?:\b|_){_CUE}\b",), _find_said, every=True),
)
