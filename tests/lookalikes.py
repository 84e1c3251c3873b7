"""Texts with the six kinds of values that prove what they are, and texts with what only looks like them.

E-mail addresses, cards, IBANs, social security numbers, addresses of machines, API keys: a few hundred of
each, in the words of chat, tickets, code and records. Beside them some thousands of order numbers that pass
Luhn's test, parcels, times, hashes, versions, books, accounts, settings. Drawn by a seed into the frames of
`data/lookalikes.txt`, at their `{}`; nobody has them.
"""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

Draw = Callable[[random.Random], str]
KINDS = ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "SECRET")
FRAMES = Path(__file__).parent / "data" / "lookalikes.txt"


def _digits(many: int) -> Draw:
    return lambda dice: str(dice.randint(1, 9)) + "".join(dice.choices(string.digits, k=many - 1))


def _hex(many: int) -> Draw:
    return lambda dice: f"{dice.getrandbits(4 * many):0{many}x}"


def _letters(many: int, signs: str = string.ascii_letters + string.digits) -> Draw:
    return lambda dice: "".join(dice.choices(signs, k=many))


def _one_of(*choices: str) -> Draw:
    return lambda dice: dice.choice(choices)


def _among(listed: str) -> Draw:
    return _one_of(*listed.split("|"))


def _luhn(*heads: str, length: int, grouped: float = 0.0) -> Draw:
    """Digits that pass Luhn's test, some of them in groups of four."""

    def draw(dice: random.Random) -> str:
        made = dice.choice(heads)
        made += "".join(dice.choices(string.digits, k=length - 1 - len(made)))
        doubled = (int(one) * (2 - at % 2) for at, one in enumerate(reversed(made)))
        made += str(-sum(one // 10 + one % 10 for one in doubled) % 10)
        if dice.random() >= grouped:
            return made
        return dice.choice(" -").join(made[at : at + 4] for at in range(0, length, 4))

    return draw


def _card(dice: random.Random) -> str:
    if dice.random() < 0.15:
        return _luhn("34", "37", length=15)(dice)
    brand = _luhn(
        "4", "51", "52", "53", "54", "55", "2221", "2720", "6011", "3530", "65", length=16, grouped=0.6
    )
    return brand(dice)


# fmt: off
_COUNTRIES = {
    "DE": "18", "FR": "23", "ES": "20", "IT": "A22", "NL": "AAAA10", "GB": "AAAA14", "PT": "21", "AT": "16",
    "BE": "12", "CH": "17", "PL": "24", "IE": "AAAA14", "SE": "20", "NO": "11", "DK": "14", "FI": "14",
    "CZ": "20", "TR": "22",
}
# fmt: on
"""How long an account of each country is, and how many letters come first."""


def _iban(dice: random.Random) -> str:
    country, form = dice.choice(list(_COUNTRIES.items()))
    letters = form.count("A")
    body = "".join(dice.choices(string.ascii_uppercase, k=letters)) + "".join(
        dice.choices(string.digits, k=int(form.lstrip("A")))
    )
    number = int("".join(str(int(one, 36)) for one in f"{body}{country}00"))
    made = f"{country}{98 - number % 97:02d}{body}"
    if dice.random() < 0.1:
        made = made.lower()
    return " ".join(made[at : at + 4] for at in range(0, len(made), 4)) if dice.random() < 0.6 else made


def _ssn(dice: random.Random) -> str:
    area = dice.choice([one for one in range(1, 900) if one != 666])
    parts = f"{area:03d}", f"{dice.randint(1, 99):02d}", f"{dice.randint(1, 9999):04d}"
    return dice.choice(("-", "-", "-", " ")).join(parts)


# fmt: off
_NAMES = [
    "ngozi", "t.okafor", "leila_h", "marek.dvorak", "sunny-days", "pat+shop", "h.takahashi", "info.bob",
    "ximena7", "o'neil", "jp.v", "mzee_k",
]
_HOSTS = [
    "gmail.com", "mail.okoro.ng", "uni-jena.de", "correo.example", "posteo.de", "rediffmail.com",
    "kvk-bouw.nl", "acme.co.uk", "sapo.pt",
]
# fmt: on


def _email(dice: random.Random) -> str:
    made = f"{dice.choice(_NAMES)}{dice.randint(1, 99) if dice.random() < 0.4 else ''}@{dice.choice(_HOSTS)}"
    return made.upper() if dice.random() < 0.05 else made


def _ip(dice: random.Random) -> str:
    if dice.random() < 0.25:
        return "2a0" + ":".join(f"{dice.randint(1, 65535):x}" for _ in range(8))[3:]
    first = dice.choice((10, 81, 92, 134, 172, 185, 192, 203, 217))
    return f"{first}.{dice.randint(2, 250)}.{dice.randint(2, 250)}.{dice.randint(2, 250)}"


def _key(dice: random.Random) -> str:
    alnum, upper = string.ascii_letters + string.digits, string.ascii_uppercase + "234567"
    prefix, many, signs = dice.choice(
        (
            ("AKIA", 16, upper),
            ("ghp_", 36, alnum),
            ("github_pat_11", 72, alnum),
            ("glpat-", 20, alnum),
            ("sk_live_", 24, alnum),
            ("sk-proj-", 48, alnum),
            ("AIza", 35, alnum),
            ("xoxb-48210077341-", 24, alnum),
            ("hf_", 34, alnum),
            ("SG.", 22, alnum),
            ("npm_", 36, alnum),
            ("dop_v1_", 64, string.digits + "abcdef"),
        )
    )
    made = prefix + "".join(dice.choices(signs, k=many))
    return made + "." + _letters(43)(dice) if prefix == "SG." else made


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _blob(many: int) -> Draw:
    return lambda dice: base64.b64encode(dice.randbytes(many)).decode()


def _millis(dice: random.Random) -> str:
    return str(dice.randint(1_600_000_000_000, 1_790_000_000_000))


def _nanos(dice: random.Random) -> str:
    return str(dice.randint(1_600_000_000 * 10**9, 1_790_000_000 * 10**9))


def _isbn(dice: random.Random) -> str:
    made = "978" + "".join(dice.choices(string.digits, k=9))
    made += str(-sum(int(one) * (1 + at % 2 * 2) for at, one in enumerate(made)) % 10)
    return made if dice.random() < 0.5 else f"{made[:3]}-{made[3]}-{made[4:8]}-{made[8:12]}-{made[12]}"


def _version(parts: int, top: int) -> Draw:
    return lambda dice: ".".join(str(dice.randint(0, top)) for _ in range(parts))


def _dashed(*many: int) -> Draw:
    return lambda dice: "-".join(_digits(one)(dice) for one in many)


_PLACEHOLDER = _among(
    "YOUR_API_KEY|<your-token>|${API_TOKEN}|$GITHUB_TOKEN|xxxxxxxxxxxxxxxx|changeme|********|"
    "REPLACE_ME|{{ api_key }}|os.environ['API_KEY']|process.env.API_KEY|getenv(\"TOKEN\")|null|"
    "None|secrets.TOKEN|settings.API_KEY|<redacted>|...|config.get('token')|%API_KEY%|"
    "insert-key-here|your-secret-key"
)

_DRAWN: dict[str, Draw] = {
    "EMAIL_ADDRESS": _email,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "US_SSN": _ssn,
    "IP_ADDRESS": _ip,
    "SECRET": _key,
    "order-of-no-brand": _luhn("7", "8", "9", "10", "11", "77", length=16, grouped=0.3),
    "order-as-a-card": _luhn("4", "51", "53", "6011", length=16),
    "phone-imei": _luhn("35", "86", "01", length=15),
    "sim-iccid": _luhn("8949", "8944", "8934", length=19),
    "snowflake": _luhn("4", "5", "6", length=18),
    "long-number": _digits(18),
    "longer-number": _digits(22),
    "milliseconds": _millis,
    "nanoseconds": _nanos,
    "book": _isbn,
    "barcode": _digits(13),
    "market-order": _dashed(3, 7, 7),
    "dashed": _dashed(3, 2, 4),
    "nine-digits": _digits(9),
    "zip": _dashed(5, 4),
    "version-low": _version(4, 40),
    "section": _version(4, 9),
    "version-high": _version(4, 200),
    "oid": _version(7, 40),
    "everybodys-address": _among(
        "127.0.0.1|0.0.0.0|255.255.255.0|::1|8.8.8.8|1.1.1.1|224.0.0.1|169.254.169.254|::"
    ),
    "not-an-address": _among("std::vector|a::b::c|Foo::Bar::baz|10:20:30|dead:beef"),
    "sha1": _hex(40),
    "short-sha": _hex(7),
    "sha256": _hex(64),
    "md5": _hex(32),
    "uuid": _uuid,
    "blob-60": _blob(60),
    "blob-48": _blob(48),
    "blob-64": _blob(64),
    "blob-32": _blob(32),
    "placeholder": _PLACEHOLDER,
    "setting": _among(
        "eu-west-1|af-south-1|us-central1-a|production|utf-8|max-age=3600|application/json|Europe/Berlin"
    ),
    "field": _among(
        "primary_key|foreign-key|arrow-key|next_page_token|max_tokens|csrf_token|tokenizer|keyring"
    ),
    "model": _among(
        "bert-base-uncased|gpt-4o-mini-2024-07-18|claude-3-5-sonnet-20241022|"
        "sentence-transformers/all-MiniLM-L6-v2"
    ),
    "resource": _among(
        "ledger-7c9d8f6b5-x2x9p|api-5f6d8c9b7d-lq8zt|i-0abc123def4567890|"
        "ami-0f1e2d3c4b5a69788|subnet-0a1b2c3d4e5f67890"
    ),
    "package": _among(
        "logo@2x.png|@angular/core@17.3.1|react@18.2.0|actions/checkout@v4|@media|"
        "nginx@sha256|foo@bar|@override"
    ),
    "remote": _among(
        "git@github.com:acme/tools.git|git@gitlab.com:a/b.git|root@localhost|"
        "user@host:~$|postgres@localhost:5432/app"
    ),
    "vat": lambda dice: f"{dice.choice(('DE', 'GB', 'FR', 'ES', 'NL', 'IT', 'AT', 'BE'))}{_digits(9)(dice)}",
    "container": lambda dice: _one_of("MSKU", "TGHU", "CMAU")(dice) + _digits(7)(dice),
    "asset": lambda dice: (
        _one_of("GB", "DE", "NO", "SE")(dice)
        + _digits(2)(dice)
        + _letters(16, string.ascii_uppercase + string.digits)(dice)
    ),
    "twelve-digits": _digits(12),
    "fourteen-digits": _digits(14),
    "card-in-a-path": _luhn("4", "5", "2720", length=16),
    "document-as-a-card": _luhn("4", "52", "6011", "2221", length=16),
    "version-bare": _version(4, 60),
    "id-of-22": _letters(22),
    "blob-90": _blob(90),
}


def _frames() -> dict[str, list[str]]:
    """Read the frames of each drawing; a line that goes on has its break written out."""
    blocks = FRAMES.read_text().split("== ")[1:]
    return {block.partition("\n")[0]: block.replace("\\n", "\0").splitlines()[1:] for block in blocks}


def _framed(frame: str, value: str) -> tuple[str, int]:
    """Put a value into its frame, and say where it stands."""
    before, _, behind = frame.replace("\0", "\n").partition("{}")
    return f"{before}{value}{behind}", len(before)


def positives(many: int = 300, seed: int = 20261123) -> Iterator[tuple[str, str, int, int]]:
    """Give for each kind as many texts, with the place of the value in each: kind, text, start, end."""
    dice, frames = random.Random(seed), _frames()
    for kind in KINDS:
        for number in range(many):
            value = _DRAWN[kind](dice)
            text, start = _framed(frames[kind][number % len(frames[kind])], value)
            yield kind, text, start, start + len(value)


def lookalikes(each: int = 16, seed: int = 20261123) -> Iterator[str]:
    """Give texts in which nothing is of the six kinds, so many of each frame."""
    dice = random.Random(seed)
    for name, frames in _frames().items():
        for frame in frames if name not in KINDS else ():
            for _ in range(each):
                yield _framed(frame, _DRAWN[name](dice))[0]
