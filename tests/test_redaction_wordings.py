"""Where a value begins and ends among the words of a sentence, and what only looks like one.

Brackets mark the values.
"""

from __future__ import annotations

import re

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.finder import Patterns
from vault.redaction.overlaps import resolve

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
    # Names behind what somebody is.
    "tell my twitch mod [ChairLegEnjoyer] that it is late, and our chat mod [kelp_77]",
    "the streamer [BigWetSocks] left, my teammate [xXFernXx], the buyer [yx_0412] paid",
    "asked my Kakao ID, it is [sbht.gb], my kakao is [moon_fern2]",
    "which minecraft mod OptiFine or Sodium, the buyer PayPal refunded, a streamer YouTube banned",
    "my username is my full birthday, my username is my real name",
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
    # Sites under the newer tops.
    "our page is up!! [bashirandluisa.wedding] please, her portfolio is [lenafoto.photography]",
    "my site [ripley.band], the blog [theokonkwos.life] and I can't browse to [mwangigroup.co.ke]",
    "a life.love quote, a wedding.photography plan and self.gallery in the class",
    # An underscore that is a handle's own; tags to pay to, and shares.
    "mine is [instagram.com/_bernadetta.k_] and hers [instagram.com/kelp_wanda]",
    "my cash app is [$tobsmoney], hers [$MilesFromHome], and I hold $AAPL",
    "echo $path and $home_dir, the till is down",
]


@pytest.mark.wide
@pytest.mark.parametrize("marked", ON_THE_NET)
def test_pages_and_names_on_the_net_are_found_whole(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


NO_MAIL = [
    "look at steamish.example/id/potatolord_irl",
    "meet me at shop.example/tea or search at kiosk.example/q?x=1",
    "laugh at memes dot example/cats",
    # What somebody does at a site.
    "look at docs.python.org for that, i read it at bbc.com yesterday",
    "register at uscis.gov before friday, apply at gov.uk",
    "i bought it at amazon.de and my brother works at booking.com",
    "the form at irs.gov is down, pay at paypal.com instead",
]


@pytest.mark.parametrize("text", NO_MAIL)
def test_what_leads_to_a_site_is_no_mail(patterns: Patterns, text: str) -> None:
    assert "EMAIL_ADDRESS" not in {one.entity for one in patterns.find(text)}


@pytest.mark.parametrize(
    "text",
    [
        "write to jo at kelp dot example",
        "jo.lind at kelp.example, or ring",
        "contact harpreet at brightwater.ca",
        "its hopscotch at fastmail.com",
        "your address?\nnuala at crolefarms.com",
    ],
)
def test_mail_in_words_is_found(patterns: Patterns, text: str) -> None:
    assert "EMAIL_ADDRESS" in {one.entity for one in patterns.find(text)}


IDS = [
    # The month in which a paper ends; another number behind a plate.
    "my passport [N4471820] expires 02/2027, and his",
    "el pasaporte [XDD448120] caduca 11/2027. Reisepass [C01X4T8GH] endet 03.2028",
    "kennzeichen [HH-TZ 418], auftrag 77120, bitte. plates [KX19 VBD], [YB15 OUN]",
    # Words of the sentence before a value.
    "plate started with K, like [KTR 5521], it was a red car",
    "licence is [009 416 728] Louisiana, on my DL [009 416 729] it was another",
    "driver licence: old [D482-9173-6604], new [D482-9173-7718]",
    "my licence says so, DL [118 204 551] Ohio",
    "das Führerschein-Nr. alt [B072RRE2I55]",
    "licencia nueva, antes era [H-09266228]",
    # What else stands behind a value, and is another thing.
    "passport [PAB448120], flight IB6841 on tuesday. pasaporte [XDD448120], vuelo IB6841",
    "plate [KX19 VBD], ticket 77120. plates [KX19 VBD] and [YB15 OUN], room 2143",
    "DNI [06024046], pedido 44881203, licence [OKWUO702154M99KT], order 8812044",
    # A sentence that goes on behind a plate; the number of a case.
    "The reg is [192-D-40718] and I have a fine. my plate is [KX19 VBD] and it was 2 am",
    "kennzeichen war [HH AV 3117], ich soll 340 euro zahlen, plates [KX19 VBD], and gh 12 times",
    "plates [KL 07 BX 4411] and [KL 07 BX 4412]",
    "a ticket with my car, case no. 23-TR-00817, docket 24-CV-0012, claim 19-AB-4471",
    # Small letters that end a plate.
    "Hi, my plate is [gh12 abc], a red fiesta. Reg [kx19 vbd] or [yb15 oun]? Plate: [ab12 cde]",
    "My plate starts with [gh12] and is old, his plate is [gh12] but sold",
    # The letters before a licence of Britain.
    "my licence is [okwuo 702154 m99kt], dvla says [terps 851217 j93qx 17]",
    # The id of a record, in a log and in what a page is asked.
    "INFO cron backup started job=nightly id=77120, GET /orders?id=77120 and /orders?page=2&id=77121",
    "his id=[77120412] and national id=[77120], user=h id=[77120412]",
    # A phone, a date of birth, the number of a game: no ids.
    "my NRIC is [S1234567D], hp [9123 4406]",
    "take NRIC or handphone [8234 5671], either one",
    "mein Ausweis ist weg, geb. [5.12.1957], danke",
    "der Personalausweis von Frau Lott, geboren [14/02/1961]",
    "report him: match id 7719204418, lobby id 88213377, replay ID 5512093341",
    "the quest id 48213377 is bugged, mod id 2213900417 too, party id 33120094",
    "member card? the group one 12x14x16",
    # Measures and dates are no ids, and a model behind its maker's name is no plate.
    "passport pouch, 110x55x50, member box 30x20x10 cm, id card 85x54",
    "better first guitar, Fender FA-125 or Yamaha F310? parking is near",
    "casio CT 640 in the car, Canon EOS 250 in the van, Yamaha MT-125 in the garage",
    "she drives a Toyota, [KDA 419B], and parks at Canon House",
    # Answers to a question in the line before, or in the one before that.
    "A: What is the passport number?\nB: [P4471902B]\nA: and hers?\nB: an old one still, [EB 0938217]",
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
    # A codice fiscale of which the last letter is wrong, and what has another form.
    "Carmela, cod. fisc. [SPSCML70B42L259X]; product ABCDEF70K42L259X, IBAN",
    # A card of a German insurance as it is printed.
    "die Karte meiner Krankenkasse: [A 731 905 264]. und Tor B 731 ist zu",
    # Digits that are told one by one.
    "my account number is [4 4 7 1 0 9 2 2 8 3] and thats it",
    "passport number is [A B 1 2 3 4 5 6 7 8], and licence number [d 4 4 7 1 2 0 9 8 3 6 1 2 0 5] then",
    "medicare number [2 5 0 4 5 1 6 1 2 1]\nmember id is [4 0 1 3 5 9 8 9 6], yes",
    "my id has digits in it, the sequence goes 1 2 3 4, then 5",
    # Pages of a paper are no passport.
    "see p. 33-41 and pp. 102\u2013118, pp. 45-67 of it; pp [A1234567]",
    # An account of a Polish bank, without its country.
    "pay to account [61 1090 1014 0000 0712 1981 2874] in two weeks",
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
    'ui.login("Enter", "Your name"), form.login("Welcome", "please sign in")',
    "r = get(url, auth=(user, os.environ['PW']))",
    'auth = ("Authorization", f"Bearer {t}")',
]


@pytest.mark.parametrize("marked", CODES)
def test_a_user_and_a_secret_that_are_handed_over_in_code_are_found(patterns: Patterns, marked: str) -> None:
    wanted = re.findall(r"\[([^\]']*)\]", marked)
    text = marked if not wanted else marked.replace("[", "").replace("]", "")
    assert found(patterns, text, code=True) == wanted


AGES = [
    # Forms of a school, days of a month, spans of years, anniversaries, prices: no ages.
    "i'm at boarding, peponi girls, form 3, everyone hates me",
    "I'm at Hill Primary, year 9, and in standard 4, term 2, it rains",
    "Ich kann am 14. nicht, ich bin vom 3. weg, ich muss am 12. arbeiten",
    "Precious Mutasa, 1 year home care, then Rosa Lind, 6 years hotel work",
    "the 50th anniversary, for the 25th time, his 30th goal, her 50th floor flat, my 20th attempt",
    "their 40th wedding anniversary, our 20th season, his 60th street address",
    "Cashier: 17.85, here you go. i'm paying 17.85 today",
    "the kid menu (six), my kid meal (five), I have 30 years and I left the firm",
    "there is only six left, it is only three! is only two minutes, I'm only three pages in",
    "my boxes (six), the kids (four) and the dogs (two) are in",
    "i've 20 years of experience, I've 5 years left, i have 3 years to pay and i pay it all",
    "we're all 30 minutes late, we are all 12 in the team, they're all 30+ euros",
    '"Total_Sum, 27, Net_Sum, 31" is the header, Room_4, 27, Left',
    "on file_name, 12, March and error_code, 27, Apr",
    # Birthdays of somebody.
    "roast ideas for her [40th] give me five, it's my [18th] tomorrow, my dad's [60th] is soon",
    "we plan his [50th] we need a cake, for nan's [80th] any ideas, my [21st] i want quiet",
    "i'm [twenty-six] going on [sixty], my knees are",
    # Years that somebody has, in the English of others.
    "I've [60 years] and I only now learn to swim",
    "Hello, I have [23 years], and i study. i have [45 years] but I feel young",
    # Words for a child.
    "my lil cousin prince ([six]) wants a story, her daughter Ayo ([four]) too",
    "He is only [six]! she's only [nine], and he was just [seven] then",
    # Names or handles, age and town, as in profiles.
    '"Ubuntu_Sipho, [27], Gqeberha, mic yes"',
    "night.heron, [34], Leeds. into birds\nkelp_wanda, [19], from Porto",
    "we're all [30]+ with kids, we are all [19], so be kind. you're all [18]+, right",
    # Sex and age, decades of a life and of a century.
    "[M47], [F45], want the sea. [40F] here and [34 m] here, / [67F] / since noon",
    "[F29] / [M31], and [29F] / [31M] too. [28F], [30M], together since May",
    "we ([29f]) and ([31 m]) fight, [W34]/[M36] suchen eine Wohnung, [29F] here, [31M] partner",
    "it is 12F to 15M wide, buses M31, F4 / M3, 4F / 12M, jeans W29 / L32",
    "take the M40, M25 is shut. it was 40F in here, 40 m away",
    "pushing [70], dodgy hip. he was pushing 60 mph",
    "she is in her [late 50s], into his [early forties], cars of the late 50s, in the mid 90s",
    # Somebody of so many years, in which the years go without saying.
    "una chica de [27] que conocí, un hombre de [52] y una mujer de [49], un niño de 8 kilos",
    "een vrouw van [34], uma senhora de [63]. ein mann von [41], una donna di [71 anni] e un uomo di 1,80",
    "une femme de [34], un homme de 90 kg, un grupo de 27, una mujer de 2 metros",
    # Beasts, things and contracts of other tongues are no people.
    "mi perro tiene 9 años, mi coche tiene 6 años y mi hija tiene [9 años]",
    "mein auto ist 6 jahre alt, mein hund ist 9 jahre alt, meine tante ist [81 jahre alt]",
    "mon chat a 14 ans, ma voiture a 6 ans, mon oncle a [71 ans]",
    "il mio cane Argo ha 9 anni, la caldaia ha 12 anni, mia zia ha [38 anni] e vive sola",
    "o meu gato tem 9 anos, o carro tem 6 anos, o meu tio tem [63 anos]",
    "onze hond is 9 jaar, mijn kat is 14 en drinkt veel, mijn zus is [34]",
    "the dog is called Biscuit, he's 4. our cat, named Mittens, she is 14. my son is called Ben, he's [4]",
    # How long somebody has worked, and how long ago.
    "preavviso con 6 anni di anzianità, lavoro da 6 anni, 7 anni fa, ogni 2 anni, ho 12 anni di esperienza",
    "j'ai 12 ans d'ancienneté, tengo 12 años de antigüedad, tenho 12 anos de casa, ho [38 anni]",
]


@pytest.mark.parametrize("marked", AGES)
def test_ages_are_those_of_people(patterns: Patterns, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    ages = [one for one in patterns.find(text) if one.entity == "AGE"]
    assert [text[one.start : one.end] for one in resolve(ages, text)] == re.findall(r"\[([^\]]*)\]", marked)


ADDRESSES = [
    # Towns of many letters, of which a window once showed the first eight.
    "the parcel goes to [Hlíðarvegur 31, 200 Kópavogur]. what now, [Kirkjubraut 7, 3700 Frederiksberg] and",
    # The boxes of a form.
    "la casilla 505 de la renta, en la casilla 7, mi [casilla 505, Valparaíso]",
    # Words before and behind an address.
    "chat of our student house, [17 Tiverton Rd, B29 6BU]: bins on Weds",
    "he left our flat, [4 Harrow Lane], in May; the shop, [88 Mill Street], too",
    "ring at [flat 3, 12 Elm Road] or at [Unit 4B, 9 Kelp Street] please",
    "[top floor, 22 Marsh Lane] or [studio 3, 40 Pine Avenue]",
    "the contract at [Jirón Cusco 418] must be mine, [Calle Olmo 9] into the town",
    "i live at [12 Harrow Lane] no problem, then [40 Pine Avenue] rest of it later",
    "[Calle Olmo 9, piso 2 B] or [Avenida Norte 14, int. 5] or [Rua Verde 8, apto 31]",
    "its [Basement Flat, 40 Vernon Terrace], or [3rd floor, 118 King Street], or so",
    "[lot 12 Mangrove Road] block is under water, [9 Kelp Road, block C] is dry",
    "my address [19 Ndola Road, Northmead, Lusaka]. call me",
    "wohnhaft [Siel 3, 26506 Norden]. Kostet das was?",
    "I live at [40 Pecan Hollow Ln, Lufkin]. Then we left",
    "my address is [12 St. Olaf Ave, Lufkin]. Yes",
    "ship it to [12 Mill Road, Hexham]. Thanks",
    "ship it to [12 Mill Road, St. Ives]. Thanks",
    # Another number behind it.
    "address [14 Acacia Close, Ikeja], tel [0803 555 0192]",
    "deliver to [8 Protea St, Bellville], order 4471",
    "[Blk 9 Lot 22 Sampaguita St, Bacoor], born [1988]",
    "my address is [14 Acacia Close, Ikeja 100271], tel [0803 555 0192]",
    # The number of a line in a form.
    "1 Marisol Tzoc\n5 [41 Canal Row #6]\n6 [Lowell, MA 01852]\nTIN?",
    "3 Ada Lind\n4 [Baton Rouge, LA 70802]",
    "from [6 Birch St, Lowell, MA 01852] to [12 Lowell, MA 01852]",
    # A dwelling by its number alone.
    "spare key with the Hoxhas at [no. 5], bins on thursday",
    "the lady in [number 14] took my parcel, our neighbours at [no 9b] too",
    "to the body corporate: whoever is in [unit 22] is loud. signed, [unit 21]",
    "my landlord says [unit 4B] above me has a leak, the tenant in [apartment 12] saw it",
    "the song peaked at no. 5 in the charts, seeded at number 3, the house music chart at no. 1",
    "my landlord: kitchen unit 60 wide, the ac unit 2 has a leak, unit 90 cm, business unit 4",
    "read unit 4 of the textbook, unit 12 test tomorrow, my tenant app has unit 5 tests",
    "she is at number 2 in the list, the parcel van is at no. 7 in the queue",
    # Floors.
    "mi vecina del [5º B] grita, la llave es del [3.º izquierda], y ya",
    "la voisine du [3e étage gauche] garde mes colis; mein Nachbar aus dem [2. OG links] klingelt",
    "mi hijo está en 5º B de primaria, le 3e étage de la fusée",
]


@pytest.mark.parametrize("marked", ADDRESSES)
def test_addresses_begin_and_end_where_they_do(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


MISTYPED = [
    # In the groups of an IBAN, or behind its name.
    "mi cuenta es [ES27 2100 3391 4402 0087 5513] y nada",
    "the rent goes to [BE57 0017 4482 9035]. Why",
    "IBAN [DE38660501010108774329] und BIC",
    "serial DE38660501010108774329 of the pump",
    "key ES27-2100-ABCD, code FR76 10278",
    # In the fours of a card, where the text speaks of one.
    "which card did i report? [4550 1182 7734 0925] or [4550-1182-7734-0933]",
    "tracking 4550 1182 7734 0925 is late",
    "is [5294 07** **** 6318] mine or his",
    # Births, and "ur" as it is typed for "your".
    "TTL: Klaten, [5 Mei 1989], pindah",
    "Batu, nac.: [12-05-2016], y ya",
    "Müge, doğum: [7 Mart 1988], ofis",
    "Borys, ur. [27.11.2013], klasa 4b",
    "Sinta lahir [9 Agu 2012] di sini",
    "is ur shift on 12/05/2024, ur flight is on 12 may 2025",
    "NAC since 12/03/2024, ttl changed on 12/05/2024",
]


@pytest.mark.parametrize("marked", MISTYPED)
def test_what_is_mistyped_and_births_of_other_tongues_are_found_by_their_forms(
    patterns: Patterns, marked: str
) -> None:
    assert_exactly(patterns, marked)


CODES_OF_LOCKS = [
    "safe in the study = [left 32, right 14, left 77], dial twice",
    "the padlock opens [right 12 then left 4 then right 30] or so",
    "turn left 200 m, then right 50 m, at the lock go left 2 km",
    "make a label: network name GoatHouse, key [9f3k-22mm-pq7d]",
    "wifi LoonCall / [saunafirst!] and the boat shed",
    "wifi modem / router combos, wifi on / offline now, the key features",
    "recovery codes for my gitlab:\n[4f7a-9c21\nb0de-77e4\n19ca-d3f8]\nprint them",
    "recovery codes:\nfollow-up\nback-end\nare unlike",
    "my TOTP seed is [JBXW Q3DP EHPK 4XYT M7LA] now",
    "the OTP app from ACME CORP WITH SOME MORE",
    "binddn: cn=readonly\nbindpw: [L1brary$Cart]\nERR 49",
]


@pytest.mark.parametrize("marked", CODES_OF_LOCKS)
def test_what_opens_something_is_found_whole(patterns: Patterns, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    secrets = [one for one in patterns.find(text) if one.entity == "SECRET"]
    whole = [text[one.start : one.end].strip() for one in resolve(secrets, text)]
    assert whole == re.findall(r"\[([^\]]*)\]", marked)


ADDRESSES_OF_MACHINES = [
    "the mac address of the printer is [3c5282aa1150]",
    "printer mac [3c5282aa1150], pc [3c5282aa1151]",
    "it shows [3C-52-82-AA-10-4F] and the reception pc [3c5282aa1150]",
    "mac [3C-52-82-AA-10-4F] in container 3c5282aa1150",
    "my mac fails at the newest commit of all, 3c5282aa1150",
]


@pytest.mark.parametrize("marked", ADDRESSES_OF_MACHINES)
def test_addresses_of_machines_without_dashes_are_found(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


ON_MACHINES = [
    "robocopy \\\\nas\\home\\[fgiordano] D:\\backup /MIR",
    "403 on http://localhost/~[petrosyan] and on http://localhost/~",
    "my username on chess.com is [slow_bishop7], my insta is 12k strong",
    "phone is [404.831.1437 x21], office [218.409.0182 ext 3], or [020 7946 0018, ext. 404]",
    "call 404.831.1437 x times",
]


@pytest.mark.parametrize("marked", ON_MACHINES[:4])
def test_accounts_on_machines_and_extensions_are_found(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


def test_a_word_behind_a_number_is_no_extension(patterns: Patterns) -> None:
    assert found(patterns, ON_MACHINES[4]) == ["404.831.1437"]


PAGES_OF_ALL = [
    "Does https://en.wikipedia.org/wiki/Leap_year say why?",
    "Explain https://developer.mozilla.org/en-US/docs/Web/CSS/@media please",
    "cite https://doi.org/10.1038/171737a0 in apa, from https://www.google.com/",
    "see https://stackoverflow.com/questions/11227809/why-is and https://pypi.org/project/msgspec/.",
    "my page is [https://en.wikipedia.org/wiki/User:Quiet_Marmot] there",
    "my notes: [https://docs.google.com/document/d/1AbC9x/edit], mine [https://www.google.com/maps/place/x]",
    "a doc: [https://docs.kelp.com/invite?token=ab12], [https://docs.kelp.com/s/a8f3k2m9x7q1w5e4r6t8y2u3]",
    "not [https://wikipedia.org.kelp.example/wiki/a]",
]


@pytest.mark.parametrize("marked", PAGES_OF_ALL)
def test_works_of_reference_are_nobodys_page(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


FEASTS = [
    "my birthday is on [halloween], her bday falls on [Boxing Day]",
    "our gran will be a hundred on [St Patrick's Day], he turns [40] on [christmas eve]",
    "the shop opens on boxing day, the sale will be on halloween, a party on new year's eve",
    "was he really born on 15 August 1769 or on 3 May 1480",
    "my gran was born on [3 May 1902], he was born on [15 August 1969]",
]


@pytest.mark.parametrize("marked", FEASTS)
def test_births_by_feasts_and_those_of_history(patterns: Patterns, marked: str) -> None:
    assert_exactly(patterns, marked)


def test_a_mistyped_iban_in_code_is_code(patterns: Patterns) -> None:
    code = "assert not valid('ES27 2100 3391 4402 0087 5513')"
    assert found(patterns, code, code=True) == []
    assert found(patterns, code.replace("5513", "5513 de mi cuenta")) != []
