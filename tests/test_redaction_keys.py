"""The keys of known providers: whole wherever they stand, and nothing that only looks like one."""

from __future__ import annotations

import re

import pattern_finding
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns
from vault.redaction.patterns import providers

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

patterns = pattern_finding.patterns

_AHEAD = re.compile(r"\\b$|\(\?[=!][^)]*\)")  # Hypothesis does not follow these
_BY_HAND = {  # what it hardly ever draws
    "00": "00aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9n",
    "sk-": "sk-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nQ2rS5tU8",
}


def keys(form: str) -> st.SearchStrategy[str]:
    """Keys of one form that end with a letter or digit, as behind others nothing tells where they end."""
    for begins, key in _BY_HAND.items():
        if form.startswith(f"{begins}(?="):
            return st.just(key)
    drawn = st.from_regex(re.compile(_AHEAD.sub("", form), re.ASCII), fullmatch=True)
    return drawn.filter(lambda key: key[-1].isalnum() and providers.KNOWN.fullmatch(key) is not None)


@pytest.mark.wide
@pytest.mark.parametrize("form", providers._FORMS)
@given(data=st.data())
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_key_of_a_known_provider_is_found_whole_wherever_it_stands(
    patterns: Patterns, form: str, data: st.DataObject
) -> None:
    key = data.draw(keys(form))
    assert any(re.search(sign, key.lower()) for sign in providers.SIGNS)  # or a gate never lets it pass
    for text in (f"here: {key}", f"{key} is what I use", f'client = Client("{key}")'):
        start = text.index(key)
        found = [one for one in patterns.find(text, code=True) if one.by == "keys and tokens"]
        assert any(one.start <= start and start + len(key) <= one.end for one in found)


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        "git show 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 of the empty file",
        "the row 00000000-0000-4000-8000-000000000000 is the first one",
        "from huggingface_hub import hf_hub_download",
        "npm_config_registry and npm_lifecycle_event are set by npm itself",
        "pip install sk-learn-contrib-hierarchical-clustering",
        "the function gh_pages_deploy_to_the_branch is gone",
        "offset 00112233445566778899aabbccddeeff0011223344 in the dump",
        "the SK region and the AC unit, EAA rules and the ATT store",
        "sig=short and dp.pt.x are too short to be any",
        "pat was here in 2024.",
    ],
)
def test_what_only_looks_like_a_key_stays(patterns: Patterns, text: str) -> None:
    assert [one for one in patterns.find(text) if one.entity == "SECRET"] == []


@pytest.mark.parametrize(
    "named",
    [
        "export AWS_SESSION_TOKEN={}",
        "Authorization: Bearer {}",
        '{{"refresh_token": "{}"}}',
        "my api key is {}",
    ],
)
def test_p1_a_token_of_any_length_goes_whole(named: str) -> None:
    token = "".join(f"IQoJb3JpZ2luX2VjE{number:x}" for number in range(200))
    assert Engine().redact_text(named.format(token)).text == named.format("<SECRET_1>")
