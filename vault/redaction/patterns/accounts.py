"""Names of users by their place: on a platform, in a channel, in a prompt, in front of what a user did."""

from __future__ import annotations

import re

from vault.redaction.patterns.forms import Form, recognizer
from vault.redaction.patterns.handles import EVERYBODYS, NO_NAME, telling

_PLATFORM = r"(?:insta(?:gram)?|ig|steam|discord|twitch|xbox|psn|tiktok|snap(?:chat)?|twitter|telegram|reddit|minecraft|roblox|youtube|valorant|fortnite|ravelry|etsy|ebay|strava|letterboxd|ao3|tumblr|wattpad|soundcloud|lichess|chess\.com|goodreads|mastodon|bluesky|bsky|threads|vinted|depop|github|gitlab|bitbucket|bandcamp|pinterest|patreon|substack|flickr|kahoot|duolingo|wow|the forum)"
_NAME = r"[a-z0-9][\w.-]{1,30}\w"
_REDDIT = re.compile(r"(?:(?<![\w./])|(?<![\w.])/)(?<!\d )(u/[a-z0-9][\w-]{2,21})(?![\w-]|\.\w)")
_BEING = re.compile(
    rf"\b(?:i'?m|i am|soy|sou|ich bin|je suis|she'?s|he'?s|plays? as|posts? as|streams? as|go(?:es)? by|known as) @?({_NAME}) (?:on|in|auf|en|sur|no|na|over on) {_PLATFORM}\b"
)
_BEHIND = re.compile(
    rf"\b(?:(?:twitch|discord|reddit|chat|stream|my|our|head) (?:mod|moderator)|streamer|youtuber|redditor|teammate|clanmate|guildmate|opponent|buyer) @?({_NAME})(?![\w@(/-])"
)
_ONLINE = re.compile(rf"\b(?:go(?:es)? by|known as) @?({_NAME}) (?:online|everywhere)\b")
_AS = re.compile(
    rf"\b(?:posts?|posted|plays?|played|streams?|signs?|go(?:es)?|known) (?:as|by) @?({_NAME})(?![\w@(/-])"
)
_OURS = re.compile(
    rf"\b(?:my|his|her|their|our|meine?|mon|mi|meu|the other) {_PLATFORM}(?: name| handle| id| tag)?(?: is| ist| es| est| e|:|,)? @?({_NAME})(?![\w@(/])"
)
_CHANNEL = re.compile(
    r"^\[(?:party|guild|raid|team|all|global|trade|say|clan|squad|local|whisper|officer|world)\] ([a-z][\w-]{2,24})(?=:)",
    re.MULTILINE,
)
_DID = re.compile(
    rf"(?<![\w@./-])({_NAME}) (?:opened this (?:issue|pull|pr)|(?:started|is now|stopped) following you|liked your (?:post|photo|video|story|reel|comment|pin)|(?:joined|left) the (?:game|server|channel|match|lobby|party)|lost connection\b|was slain by|requested to follow|mentioned you|commented on your|sent you a (?:snap|message|friend request|dm)|has been (?:banned|kicked|muted) (?:by|from|for))"
)
_PROMPT = re.compile(rf"(?<![\w.@-])({_NAME})@[\w.-]{{2,40}}:[~/][^\s$#]{{0,80}}[$#](?=\s|$)")
_DOMAIN = re.compile(r"(?<![\w\\:/])([A-Z][A-Z0-9-]{1,14}\\(?![nrt][A-Z])[A-Za-z][\w.-]{3,30})(?![\w\\])")
_COMMAND = re.compile(
    rf"\b(?:mysql|mysqldump|mysqladmin|mariadb|psql|ssh|sftp|ftp|htpasswd)\b[^\n|;]{{0,60}}? (?:-u ?|-l |--user[= ]|-U )({_NAME})(?=\s|$)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    rf"\b(?:assignee|reporter|owner|created_by|updated_by|assigned_to|uploader|committer) ?= ?[\"']?({_NAME})(?=[\s\"',;]|$)"
)
_WORD = re.compile(
    r"(?:[a-z]{2,}(?:ing|ed)|active|famous|online|offline|big|popular|currently|always|only|mostly|already|always|often|never|usually|back|done|good|bad|mutuals?|late|viral|private|everywhere|someone|somebody|everyone|anyone|who|it|that|this|one|they|people|myself|himself|herself|me|true|false|null|none|self|current|goalkeeper|striker|captain|support|healer|tank|guest|well|big|huge|new|bot|player|she|them|and|user|nobody|also|both|dad|mum|mom|kids?|son|daughter|wife|husband|friend|friends|down|slow|broken|better|full|free|great|fine|okay|there|them|level|lvl|rank|account|number|password|login)$"
)


def _is_name(value: str, _before: str) -> bool:
    low = value.lower()
    return not (_WORD.match(low) or NO_NAME.match(low) or EVERYBODYS.match(low))


def _is_redditor(value: str, before: str) -> bool:
    return _is_name(value[2:], before)


def _is_told(value: str, before: str) -> bool:
    parts = value.split("-")
    made_up = telling(value.lower(), value) or (len(parts) > 1 and all(map(str.isalpha, parts)))
    return made_up and _is_name(value, before)


_BRANDS = re.compile(
    r"(?:youtube|tiktok|linkedin|paypal|onlyfans|whatsapp|chatgpt|playstation|facetime|openai|github|iphone|ipad|ebay|javascript|obs)\w{0,3}$"
)


def _is_no_brand(value: str, before: str) -> bool:
    return _is_told(value, before) and not _BRANDS.match(value.lower())


_FORMS = (
    Form("names on reddit", r"\bu/[a-z0-9]", _REDDIT, 4, 24, fits=_is_redditor),
    Form("names on a platform", rf"\b(?:on|in|auf|en|sur|no|na) {_PLATFORM}\b", _BEING, 64, 1, fits=_is_name),
    Form("names behind a part", r"\b(?:mod|moderator|streamer|youtuber|redditor|teammate|clanmate|guildmate|opponent|buyer) @?[a-z0-9]", _BEHIND, 28, 34, fits=_is_no_brand),
    Form("names online", r"\b(?:goe?s? by|known as) ", _ONLINE, 14, 50, fits=_is_name),
    Form("names gone by", r"\b(?:posts?|posted|plays?|played|streams?|signs?|go|goes|known) (?:as|by) ", _AS, 14, 36, fits=_is_told),
    Form("names of ours", rf"\b(?:my|his|her|their|our|meine?|mon|mi|meu|the other) {_PLATFORM}\b", _OURS, 26, 54, fits=_is_told),
    Form("names in channels", r"^\[[a-z]{3,7}\] [a-z]", _CHANNEL, 14, 28),
    Form("names of doers", r"\b(?:opened this|following you|liked your|(?:joined|left) the|lost connection|was slain|requested to follow|mentioned you|commented on|sent you|has been (?:banned|kicked|muted))\b", _DID, 60, 20, fits=_is_name),
    Form("names in prompts", r"[\w]@[\w.-]{2,40}:[~/]", _PROMPT, 80, 90, code=True, fits=_is_name),
    Form("names in domains", r"\b[a-z][a-z0-9-]{1,14}\\[a-z]", _DOMAIN, 18, 34, cased=True),
    Form("names in commands", r"\b(?:mysql|mysqldump|mysqladmin|mariadb|psql|ssh|sftp|ftp|htpasswd)\b", _COMMAND, 12, 110, code=True, fits=_is_name),
    Form("names of owners", r"\b(?:assignee|reporter|owner|created_by|updated_by|assigned_to|uploader|committer) ?=", _ASSIGNED, 14, 36, fits=_is_name),
)  # fmt: skip
RECOGNIZERS = tuple(recognizer("USERNAME", form) for form in _FORMS)
