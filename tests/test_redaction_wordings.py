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


IDS = [
    # Words of the sentence before a value.
    "plate started with K, like [KTR 5521], it was a red car",
    "licence is [009 416 728] Louisiana, on my DL [009 416 729] it was another",
    "driver licence: old [D482-9173-6604], new [D482-9173-7718]",
    "my licence says so, DL [118 204 551] Ohio",
    "das Führerschein-Nr. alt [B072RRE2I55]",
    "licencia nueva, antes era [H-09266228]",
    # A phone, a date of birth, the number of a game: no ids.
    "my NRIC is [S1234567D], hp [9123 4406]",
    "take NRIC or handphone [8234 5671], either one",
    "mein Ausweis ist weg, geb. [5.12.1957], danke",
    "der Personalausweis von Frau Lott, geboren [14/02/1961]",
    "report him: match id 7719204418, lobby id 88213377, replay ID 5512093341",
    "the quest id 48213377 is bugged, mod id 2213900417 too, party id 33120094",
    # Measures and dates are no ids, and a model behind its maker's name is no plate.
    "passport pouch, 110x55x50, member box 30x20x10 cm, id card 85x54",
    "better first guitar, Fender FA-125 or Yamaha F310? parking is near",
    "casio CT 640 in the car, Canon EOS 250 in the van, Yamaha MT-125 in the garage",
    "she drives a Toyota, [KDA 419B], and parks at Canon House",
    # Answers to a question in the line before, or in the one before that.
    "A: What is the passport number?\nB: P4471902B\nA: and hers?\nB: she's got an old one still, [EB 0938217]".replace(
        "P4471902B", "[P4471902B]"
    ),
    "Desk: passport for both?\nMan: mine is [K4821390], my wife's the new one, [LM 2049188]",
    "a new passport costs 80 and takes a week? my new one, ticket AB 1234567",
    "Nurse: what's the member ID on the card?\nMe: W as in whiskey, then [W2048 81739 02]",
    "Agent: And the policy number, if you have it to hand?\nMe: let me see, the letter says [GM 489 00288 1]",
    "Agent: member ID?\nMe: no idea, but my order is 4471-0992",
    # Licences with letters behind a slash, plates with an unreadable letter.
    "licence: [456/88203/LV] and the old paper one",
    "my driving licence no is [118/20455/EE].",
    "the fee is 45/mo, licence [88203]/week",
    "Registration of the other car?\nhe drove off, my dashcam has [RK1?-8092], unreadable",
    "his plate was [KX?1 FGH] or so, a blue van, is it a scam?",
    "the motorcycle [KDG 418T] was sold, a tricycle [KTW 221B] too",
    "parked behind [Dubai K 48213], the car blocks us, and [Sharjah 2 71184] too",
    "what car? a Fiat? or a BMW 320? I had 2?-3 of them",
]


@pytest.mark.parametrize("marked", IDS)
def test_ids_begin_and_end_where_they_do(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


def test_a_handphone_is_a_phone(patterns: Patterns) -> None:
    (one,) = patterns.find("is it my NRIC or my hp 9123 4406")
    assert one.entity == "PHONE_NUMBER"


CODES = [
    'r = s.post(url, auth=("[svc-lindqvist]", "[Tall!Birch&44]"))',
    "requests.get(u, auth=HTTPBasicAuth('[t.okonjo]', '[reed4Lantern]'))",
    'smtp.login("[post.ombud]", "[kelpForest_9]")',
    'client.auth("[mkowal]", "[pR7-yonder]")\nprint("auth", "done")',
    'r = get(url, auth=("user", "password"))',
    "r = get(url, auth=(user, os.environ['PW']))",
    'auth = ("Authorization", f"Bearer {t}")',
]


@pytest.mark.parametrize("marked", CODES)
def test_a_user_and_a_secret_that_are_handed_over_in_code_are_found(patterns: Patterns, marked: str) -> None:
    wanted = re.findall(r"\[([^\]']*)\]", marked)
    text = marked if not wanted else marked.replace("[", "").replace("]", "")
    assert found(patterns, text, code=True) == wanted
