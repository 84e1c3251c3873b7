"""Wallet addresses. Those with a checksum prove themselves; the others go by their form or the words around them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from vault.redaction.findings import Ground
from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE = {letter: value for value, letter in enumerate(_BASE58)}
_58 = r"[1-9A-HJ-NP-Za-km-z]"
_LEGACY = re.compile(rf"(?<![A-Za-z0-9]){_58}{{26,48}}(?![A-Za-z0-9])")
_SEGWIT = re.compile(
    r"(?<![a-z0-9])(bc|tb|ltc|addr|cosmos|osmo|bnb|thor|terra|inj|doge|vtc|dgb|stake)1[a-z0-9]{25,104}(?![a-z0-9])"
)
_NOBODYS = 30
"""Zeros of an address that nobody can have a key for: the null address, one to burn."""

_ETHER = re.compile(r"(?<![a-z0-9])0x[0-9a-f]{40}(?![a-z0-9])")
_LONG = re.compile(rf"(?<![A-Za-z0-9])[48]{_58}{{94}}(?:{_58}{{11}})?(?![A-Za-z0-9])")
_CASH = re.compile(r"(?<![a-z0-9])(?:bitcoincash:)?[qp][qpzry9x8gf2tvdw0s3jn54khce6mua7l]{41}(?![a-z0-9])")
_CUE = re.compile(
    r"\b(?:wallet|wallets|address|addr|adresse|btc|bitcoin|eth|ethereum|usdt|usdc|trc20|erc20|trx|tron|xrp|ripple|ltc|litecoin|doge|dogecoin|sol|solana|xmr|monero|ada|cardano|crypto|krypto\w*|cripto|coin|coins|billetera|carteira|cartera|portefeuille|monedero|deposit|withdraw\w*|nft|airdrop|staking|phantom|metamask|ledger|dash|bch|bnb|ton|dot|transfer\w*|sent|send|enviar?|mandei)\b"
)


def base58check(address: str) -> bool:
    """Whether the last four bytes are the hash of the others."""
    number = 0
    for letter in address:
        number = number * 58 + _VALUE[letter]
    zeros = len(address) - len(address.lstrip("1"))
    body = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    digest = hashlib.sha256(hashlib.sha256(body[:-4]).digest()).digest()
    return len(body) >= 24 and digest[:4] == body[-4:]


def bech32(address: str) -> bool:
    """The checksum of BIP 173 and BIP 350."""
    prefix, _, data = address.rpartition("1")
    if not prefix or not all(letter in _BECH32 for letter in data):
        return False
    values = (
        [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32.index(c) for c in data]
    )
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> bit & 1 else 0
    return check in {1, 0x2BC830A3}


def _mixed(value: str) -> bool:
    """Letters of both cases and digits: not a word, not a number, not a hash in hex."""
    return any(map(str.isdigit, value)) and any(map(str.isupper, value)) and any(map(str.islower, value))


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    text, low = folded.text, folded.low
    for match in _ETHER.finditer(low):
        if match[0].count("0") > _NOBODYS:
            continue
        yield Hit("CRYPTO", match.start(), match.end(), 0.9)
    for match in _SEGWIT.finditer(low):
        proven = bech32(match[0])
        if proven or match[1] in {"bc", "ltc", "addr"}:
            yield Hit(
                "CRYPTO",
                match.start(),
                match.end(),
                1.0 if proven else 0.8,
                Ground.CHECKSUM if proven else Ground.PATTERN,
            )
    for match in _LONG.finditer(text):
        yield Hit("CRYPTO", match.start(), match.end(), 0.85)
    for match in _CASH.finditer(low):
        yield Hit("CRYPTO", match.start(), match.end(), 0.8)
    for match in _LEGACY.finditer(text):
        value = match[0]
        if not _mixed(value):
            continue
        if base58check(value):
            yield Hit("CRYPTO", match.start(), match.end(), 1.0, Ground.CHECKSUM)
        elif _CUE.search(low, max(0, match.start() - 60), match.start()) and len(value) >= 33:
            yield Hit("CRYPTO", match.start(), match.end(), 0.7)
        elif (len(value) == 34 and value[0] in "13TrDLM") or len(value) in {43, 44}:
            yield Hit("CRYPTO", match.start(), match.end(), 0.5)


RECOGNIZERS = (
    Recognizer(
        "wallets",
        (r"0x[0-9a-f]{40}", r"1[a-z0-9]{25}", r"[1-9a-z]{26}", r"[qp][a-z0-9]{41}"),
        _find,
        code=False,
    ),
)
