"""Words of machines that look like secrets and keep none: algorithms, products with a version, files."""

from __future__ import annotations

import re
from typing import Final

_ALGORITHMS: Final = (
    r"argon2(?:id|i|d)?|pbkdf2(?:[-_][a-z0-9]+)*|[bsy]{1,2}crypt\w?|sha-?[123](?:[-/]?\d{3})?(?:crypt|sums?|d)?|sha-?\d{3}(?:/\d{3}|crypt|sums?|d)?"
    r"|md-?[2456](?:crypt|sums?)?|hmac(?:[-_/][a-z0-9]+)*|hkdf(?:[-_/][a-z0-9]+)*|aes-?\d{0,3}(?:[-_/][a-z0-9]+)*|3?des-?3?|rsa-?\d{0,4}"
    r"|ec(?:dsa|dh)(?:[-_][a-z0-9]+)*|ed25519(?:-sk)?|ed448|x(?:25519|448)|curve25519|secp\d{3}\w\d|[ehprs]{2}(?:256|384|512)|x?chacha20(?:-[a-z0-9]+)?"
    r"|(?:blow|two|three)fish-?\d{0,4}|blake\d\w?|ripemd-?\d{0,3}|crc-?\d{2}|base-?\d{2}(?:url)?|rot-?13|rc4"
)
_PROTOCOLS: Final = (
    r"oauth-?\d?(?:\.\d\w?)?|saml-?v?\d?(?:\.\d)?|oidc-?\d?(?:\.\d)?|openid(?:-?connect)?-?\d?(?:\.\d)?|fido-?\d?|web-?authn-?\d?|u2f|jwt|s/mime"
    r"|(?:tls|ssl|dtls)-?v?\d(?:\.\d)?|wpa-?\d?(?:[-_/](?:wpa\d?|psk\d?|personal|enterprise|tkip|aes|sae|eap|ccmp|mixed))*|wep(?:-?\d{2,3})?"
    r"|802\.1\w{1,2}|ipv[46]|http-?/?v?[123](?:\.\d)?|utf-?(?:8|16|32)\w{0,2}|iso-?8859-\d{1,2}|x\.?509(?:v3)?|pkcs-?#?\d{1,2}|rfc-?\d{3,4}"
    r"|krb5|kerberos-?v?5|kb\d{6,7}|ntlm-?v?\d?|ms-?chap-?v?2?|pap/chap|ldap-?v?[23]?|imap-?4?|pop-?3|i18n|l10n|k8s|log4j\d?|b(?:zip)?2|7-?zip|0x[0-9a-f]{4,8}"
    r"|[a-z][\w./-]{0,24}\[\d{1,7}(?:\]:?)?|\[?\d{4}-\d\d-\d\d(?:t\d\d:?\d\d\S{0,16})?"
)
_REGIONS: Final = (
    r"(?:track|album|artist|playlist|episode|show):[a-z0-9]{22}|"
    r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn|asia|europe|(?:north|south)america|australia|africa)-(?:gov-|iso-)?"
    r"(?:north|south|central|east|west)(?:east|west)?-?\d(?:-?[a-f])?"
)
"""Where a cloud has its machines, and where music lies."""

_BLANKS: Final = (
    r"(?-i:\$[A-Z][A-Z_]{2,40}|%[A-Z][A-Z_]{2,40}%)|\$\{\w{1,40}\}|(?:your|my|insert|replace|enter|put|add)(?:[_-][a-z]{1,12}){0,4}"
    r"[_-](?:keys?|tokens?|secrets?|passwords?|here|me|this|it)|(?:settings|secrets|config|env|environ|vars|self|app|local|constants)"
    r"(?:\.[a-z_]{2,40}){1,4}|process\.env\.\w{1,40}|os\.environ\S{0,60}|arn:aws[\w-]*:\S{1,120}|(?:s3|gs|ssm|op)://\S{1,120}|vault:\S{1,120}|/run/secrets/\S{1,60}|getenv\S{0,60}"
)
"""What is to be filled in, or stands elsewhere: in the settings, in the environment."""

_MARKS: Final = r"fritz!?(?:box|repeater|powerline|fon|os)\S*|yahoo!|joomla!"
_IMAGE: Final = r"(?:[a-z0-9][\w.-]*/)*[a-z][\w.-]*:v?\d{1,5}"
_BUILT: Final = r"(?:\.\d{1,5})+(?:-[a-z0-9.]{1,24})*"
_AGENT: Final = r"[a-z][\w.+-]*/v?\d{1,5}(?:\.\d+)+[\w.+-]*|(?:version|sdk|api)[:=/]v?\d+(?:\.\d+)*"
"""A program and its version, as programs give it to each other."""

_TECHNICAL: Final = re.compile(
    rf"(?:{_ALGORITHMS}|{_PROTOCOLS}|{_MARKS}|{_REGIONS}|{_BLANKS}|{_AGENT}|{_IMAGE}{_BUILT}|\d?>{{1,2}}&?[\w./~-]*|[\w.-]+,[a-z]{{2,10}}=\S*)",
    re.IGNORECASE,
)
_JOINED: Final = re.compile(r"[/+,|]")

_VERSIONED: Final = (
    r"[a-z][a-z+#]{0,24}(?:-[a-z]{2,12})?[-/]v?\d{1,5}(?:\.\d{1,5})*[a-z]{0,5}(?:-[a-z]{2,10})?"
)
_SYSTEMS: Final = (
    r"(?:iphone|ipad|i?os|galaxy|pixel|win(?:dows)?|mac(?:os)?|android|ubuntu|debian|fedora|centos|rhel|chrome|firefox|safari|edge|outlook|office"
    r"|exchange|python|php|java|node|angular|vue|react|rails|django|laravel|spring|html|css|mysql|postgres\w{0,3}|mariadb|mongo\w{0,2}|redis"
    r"|oracle|sqlite|sql|nginx|apache|tomcat|playstation|xbox|gpt|claude|gemini|llama)-?\d{1,4}(?:\.\d+)*[a-z]{0,2}"
)
_PRODUCT: Final = re.compile(_SYSTEMS, re.IGNORECASE)
_PATH: Final = r"(?:~|\.{1,2}|[a-z]:)?(?:[/\\][\w.@-]{1,40})+[/\\]?"
_FILE: Final = (
    r"[\w./~-]{1,80}\.(?:txt|json|ya?ml|toml|ini|cfg|conf|env|pem|key|crt|cer|p12|pfx|jks|kdbx|csv|tsv|xml|html?|md|pdf|docx?|xlsx?|log|sh|ps1|py|js|ts"
    r"|jsx|tsx|java|go|rs|rb|php|cs|cpp|sql|db|zip|gz|tar|png|jpe?g|svg)"
)
_CALLED: Final = (
    r"[a-z]{2,20}(?:_[a-z]{2,20}){0,3}_(?:pw|pass|passwd|password|key|secrets?|tokens?|ids?|names?|type|file|path|url|code|count|error|fail|failed|failure|ok"
    r"|success|status|event|time|at|from|user|users|db|api|config|env|data|list|size|depth|limit|expired|invalid|required|missing|reset)"
)
_MENTIONED: Final = re.compile(
    rf"(?:1password|{_VERSIONED}|{_SYSTEMS}|{_IMAGE}(?:{_BUILT})?|{_PATH}|{_FILE}|{_CALLED}|\d{{1,4}}-[a-z]+|v?\d+(?:\.\d+)+\S{{0,12}})",
    re.IGNORECASE,
)
_RECORD: Final = re.compile(
    r"(?:evt|pi|cus|ch|py|in|ii|il|sub|si|price|prod|plan|req|msg|run|call|toolu|asst|thread|step|resp|chatcmpl|seti|pm|src|txn|po|tr|acct|dp"
    r"|file|batch|inv|ord|order|job|task|trace|span|we)[_-](?:test_|live_)?(?=[a-z]{0,40}\d)[a-z0-9]{14,64}",
    re.IGNORECASE,
)

_KIND: Final = re.compile(r"(?<![^\W_])[a-z]{2,8}$", re.IGNORECASE)


def is_technical(value: str) -> bool:
    """Say whether a word, or each of several joined, is an algorithm, a protocol or a program."""
    if _TECHNICAL.fullmatch(value):
        return True
    parts = _JOINED.split(value)
    return len(parts) > 1 and all(map(_TECHNICAL.fullmatch, parts))


def is_mentioned(value: str) -> bool:
    """Say whether a word looks like a product, a file, an image or a name in code.

    It may be a password all the same, so this is asked only where nothing says that the word is one.
    """
    return _MENTIONED.fullmatch(value) is not None or is_a_record(value)


def is_a_product(value: str) -> bool:
    """Say whether a word is one of the programs and devices that many have, with its version."""
    return _PRODUCT.fullmatch(value) is not None


def is_a_record(value: str, before: str = "") -> bool:
    """Say whether a word is the id that a service gives to a record of its own: evt_..., run_...

    Of such an id only the end may have been found: what stands `before` it is looked at too.
    """
    if value.startswith(("_", "-")) and (kind := _KIND.search(before)):
        value = kind[0] + value
    return _RECORD.fullmatch(value) is not None
