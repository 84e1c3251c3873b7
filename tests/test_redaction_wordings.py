"""Where a value begins and ends among the words of a sentence, and what only looks like one. Brackets mark the values."""

from __future__ import annotations

import re

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.finder import Patterns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


patterns = pattern_finding.patterns


def assert_exactly(patterns: Patterns, marked: str) -> None:
    wanted = re.findall(r"\[([^\]]*)\]", marked)
    text = marked.replace("[", "").replace("]", "")
    assert [value.strip() for value in found(patterns, text)] == wanted


ON_THE_NET = [
    # Names on reddit, with the letter before them.
    "banned me twice, [u/night_bus_driver] and [u/toast-goblin] are both mine",
    "ping /[u/quiet_marmot] if the post is gone, main is [u/Ferrywatcher88]",
    "ask r/personalfinance or r/legaladvice, u/AutoModerator removed mine",
    "we do 4 u/day and 3 i/o cards per rack",
    # Pages of persons that are written without a scheme.
    "my prints are on [olivebranchink.gumroad.com] now",
    "templates at [kaifolio.carrd.co]. and music on [lowtidechoir.bandcamp.com]!",
    "demo is on [mossgames.itch.io/tiny-well], diary on [greyheron.tumblr.com]",
    "everything is on [linktr.ee/marl.o], tips via [ko-fi.com/sunnyloaf] please",
    "she is [patreon.com/knotsbynell], he is [onlyfans.com/mister_fern]",
    "cv: [about.me/ottolind], code: [github.com/ottolind], essays [ottolind.substack.com]",
    "support.gumroad.com is down, help.itch.io too",
    "the docs of bandcamp.com and itch.io differ, status.substack.com says ok",
    "ko-fi.com is slow, patreon.com/login gives a 500",
]


@pytest.mark.parametrize("marked", ON_THE_NET)
def test_pages_and_names_on_the_net_are_found_whole(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


NO_MAIL = [
    "look at steamish.example/id/potatolord_irl",
    "meet me at shop.example/tea or search at kiosk.example/q?x=1",
    "laugh at memes dot example/cats",
]


@pytest.mark.parametrize("text", NO_MAIL)
def test_what_has_a_path_behind_it_is_no_mail(patterns: Patterns, text: str) -> None:
    assert "EMAIL_ADDRESS" not in {one.entity for one in patterns.find(text)}


@pytest.mark.parametrize("text", ["write to jo at kelp dot example", "jo.lind at kelp.example, or ring"])
def test_mail_in_words_is_found_as_before(patterns: Patterns, text: str) -> None:
    assert "EMAIL_ADDRESS" in {one.entity for one in patterns.find(text)}
