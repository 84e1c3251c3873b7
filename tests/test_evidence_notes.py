"""Checkpoints are notes as C2SP has them: published notes verify, ours are byte for byte the same."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import TamperedError, UsageError
from vault.evidence.notes import Checkpoint, Signer, Verifier, decode64, encode64, open_checkpoint

# The note of the reference implementation's own tests.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n— PeterNeumann {SIGNATURE}\n"

# The checkpoint of https://c2sp.org/tlog-checkpoint, whose key is not published.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)

SIGNER = Signer("transcript-vault/0123", bytes(range(32)))
LOG = Checkpoint("transcript-vault/0123", 42, bytes(32))


def test_p6_a_published_note_is_verified_by_its_published_key() -> None:
    peter = Verifier.parse(PETER)
    assert (peter.name, str(peter)) == ("PeterNeumann", PETER)
    assert peter.open(NOTE) == TEXT


def test_p6_the_same_key_makes_the_same_note() -> None:
    signer = Signer("PeterNeumann", PETER_SEED)
    assert str(signer.verifier) == PETER
    assert signer.sign(TEXT) == NOTE


def test_p6_a_published_checkpoint_is_read_as_it_was_written() -> None:
    text = SOFA.partition("\n\n")[0] + "\n"
    found = Checkpoint.parse(text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert str(found) == text
    with pytest.raises(TamperedError, match="not signed with this key"):
        SIGNER.verifier.open(SOFA)
    assert Checkpoint.parse(text + "an extension of somebody's\n") == found


def test_p6_signatures_of_others_beside_ours_do_not_disturb() -> None:
    ours, others = (note.rpartition("\n\n")[2] for note in (NOTE, SOFA))
    for lines in (ours + others, others + ours):
        assert Verifier.parse(PETER).open(f"{TEXT}\n{lines}") == TEXT


def flips(text: str) -> list[str]:
    data = text.encode()
    found = []
    for place in range(len(data)):
        for bit in range(8):
            flipped = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            found.append(flipped.decode("utf-8", "surrogateescape"))
    return found


@pytest.mark.wide
def test_p6_no_bit_of_a_note_can_be_changed() -> None:
    for flipped in flips(NOTE):
        with pytest.raises((TamperedError, UnicodeEncodeError)):
            Verifier.parse(PETER).open(flipped)


def test_p6_no_bit_of_a_key_can_be_changed() -> None:
    for flipped in flips(PETER):
        try:
            found = Verifier.parse(flipped)
        except (UsageError, UnicodeEncodeError):
            continue
        pytest.fail(f"{found} is a key")


@pytest.mark.wide
def test_p6_no_bit_of_a_checkpoint_can_be_changed() -> None:
    note = SIGNER.sign(str(LOG))
    assert open_checkpoint(note, SIGNER.verifier) == LOG
    for flipped in flips(note):
        with pytest.raises((TamperedError, UnicodeEncodeError)):
            open_checkpoint(flipped, SIGNER.verifier)


def test_p6_a_checkpoint_of_another_log_is_not_this_ones() -> None:
    note = SIGNER.sign(str(Checkpoint("transcript-vault/9999", 42, bytes(32))))
    with pytest.raises(TamperedError, match="another log"):
        open_checkpoint(note, SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n",
        "log\n1\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "log\n1\nAAAA\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
    ],
)
def test_p6_what_is_no_checkpoint_is_not_read_as_one(text: str) -> None:
    with pytest.raises(TamperedError, match="not a checkpoint"):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "note", ["", "text\n", "text\n\n", "text\n\nno mark\n", "text\n\n— name\n", "te\x00xt\n\n"]
)
def test_p6_what_is_no_note_is_not_read_as_one(note: str) -> None:
    with pytest.raises(TamperedError):
        SIGNER.verifier.open(note)


def test_p6_a_note_is_made_of_whole_lines_by_a_name_without_spaces() -> None:
    with pytest.raises(ValueError, match="line's end"):
        SIGNER.sign("text")
    with pytest.raises(ValueError, match="no space"):
        Signer("a name", bytes(32))


@given(st.binary())
def test_base64_is_read_in_one_form_only(data: bytes) -> None:
    text = encode64(data)
    assert decode64(text) == data
    assert decode64(text + "=") is None
    assert decode64(text + "\n") is None
