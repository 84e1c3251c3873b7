"""What the words around a value say of it: whose it is, or that it is nobody's. One class of error a line."""

from __future__ import annotations

import re

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.finder import Patterns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


patterns = pattern_finding.patterns

NOBODYS = [
    "referral for anyone aged 45 and over, or aged over 18 with pain",
    "wear and tear on a 9 year old carpet",
    "there are two high waters a day",
    "la paz está a 3600 m",
    # A plate of metal, a number with its unit, a flight, a reference.
    "side plate 18, steel plate 6 mm, 1200 x 2400",
    "rating plate: 230 V, 50 Hz",
    "a plaque for the old cinema, 30 words, 'rebuilt 1873'",
    "airport pickup by car: LX 1612 at 14:05, seat 14C",
    "the van is booked under ref VR-88204, order KA-0520",
    # Ids of things.
    "Message-ID: <20250204100311.4f9a@mx1>",
    "run id 01HZX3V7Q2M9 failed, container id 1f0c22ab91d7, meter id 21E4188277",
    "EHR||202503041120||ORU",
    "council tax 141.00, tax code 1257L M1, tax 211.20 net 1,772.90",
    "SELECT sum(x) FROM t GROUP BY y HAVING sum(x) > 10000",
    "licence fee is 174.50 now",
    "insurance ref 88-44-JZ, insurance claim 8820-114",
    "passport soon, exp 07/2031",
    "protocolo 2026.0418.7731 da anatel",
    "bring the react@18.2.0-rc.beta and lucia@3.2.0",
    "user@example.com is in the docs, test@example.org too",
    # What follows "username" and is no name.
    "username must be 3 to 20 characters",
    "can i change a username twice in 14 days",
    "my username used to be my mail, usernames like these",
    "which username is cooler, the first?",
    "INFO [auth] user=system method=token, user=nobody size=2048, USER=root ;",
    "Agent: Hello\nUser: human\nBot: I can help with bills",
    "mail me at @gmail or @googlemail, peer react from @material-ui/core@4.12.4",
    "hes trash at valorant, i'm active on insta, im banned on steam, u/AutoModerator removed it",
    "someone started following you, who left the game",
    "UID:8d0ba0a7f28e0232@cal",
    # Beside a secret.
    "wifi QR: {{secret}}, login since KB5028185, login: TTY=pts/0",
    "the login failed at [12/Mar/2025:09:22:08",
    "*The Secret History of the Mongols*, chapter 2",
    "pickup for locker 0183, 13 pin tow bar fits 2019 duster, a 5-pin deadbolt 1739",
    "who leaves a voicemail in 2026, the old pin fell off (item 4471)",
    # Numbers that are no ages.
    "1. Cruyff turn\n2. Biellmann spin\n3. Salchow",
    "before the baby: 1) crib from Rae, 2) paint with Osman, 3) tell mom",
    "an apology in Bangla, (2) the name of the manager",
    "Termin vom 14. Juni, ich bin vom 3. bis 17. August da, soy Tere, la del 5.º A",
    "im day 3 and i am on shift til 6, im here since 8, I'm cooking for 12.",
    "im 7 months pregnant, she's only 17 yrs older than me, she's 3 years younger",
    "I'm a 36 in zara, i'm 44 in nike, she's a 10 but, they're 3 and 5 in the table",
    "reading age 7, retirement age 67, ages 8 to 12, ages 3+, visitors aged 8 to 12",
    "a 14 year old dog, a 7 yr old mattress, our boiler is 16 years old, 15-yr-old port",
    "She is a 3 year old lab, he is a 9-year-old rescue terrier, our poodle is 4, the pups are 6 weeks old",
    "the whisky is aged 12 years, the stadium turned 46",
    "explain it like i'm 80, talk to me like im 10, tell me about tulips as if i'm 6",
    "worst traffic on the m62, cast it to f64, logo 30m from the beach, for: 10m",
    "AUTH=DECL(91), HR 88, BP 150, flight KE 086",
    "soy hombre, mido 1,74, João Pedro 1,82m",
    "comme si j'avais cinq ans, como si tuviera 5 años, family of 2 adults and kids of 3, 9 and 12?",
    "Sort these without a library: 45 12 89 33 7 64, what bank has BIC REVOLT21",
    "the recipe is from my neighbour Tove, 3 eggs 200 g flour, with my dad Chuy, 6 tables, no kids, 1 parrot",
    "3) tell mom in Duluth, 4) tell work, on strava im Siân, ran 8.2k, it says I'm under 18.",
    "Fix a script and the file. (merge 78725ebda9 jc/allow-sub), derived from the file of RFC 3492bis",
    "**True** (6), CreateThread (NULL, 0, x), the patient ran dd bs=1M",
    # Words that look like a street's.
    "no sound via HDMI ARC to Sonos Beam gen 2, admitted via ED 3 June",
    "Fire TV Stick 4K, is the TV box the one ending in 9F, a 4 hr drive.",
    "half term 26 to 30 Oct. Spring 5 Jan, Hearing 10 October, 50 av. J.-C.",
    "legend at Nürburgring 1934, GROUP BY c.Country ORDER BY 2",
    "DEPOSIT FLAT 500.00, line 2 Herr Dr. Quast",
    "Sherlock Holmes at 221B Baker Street, who lives at 10 downing street, 123 Main Street, Anytown",
    "see https://example.com or https://www.example.org/ for one",
    "a branch on the ring road (receipt 0044-7719-2)",
    "wifi QR format: WIFI:S:<ssid>;T:WPA;P:<password>;;",
    "office wifi: SSID HQ-5G",
    "cohort: born 2009 or later, 'born 1999 or earlier'",
    # Dates that are no births.
    "hire date 04/18/2016, birth plan: due 14 Sept",
    "Anahera born 03:12, apgar 9/10/10",
    "INSERT INTO users VALUES (1, 'x', '2024-01-01'), (2, 'y', '2024-01-02');",
    "INSERT INTO users (id, created_at) VALUES (1, '1999-01-01');",
    # What it costs, how many there are, and when.
    "la matrícula cuesta 1200 euros, matrícula de honor en 2023",
    "matricula do curso 2024 e o cartão vencido 10/26",
    "el documento tiene 14500 palabras",
    "o cartão tem limite de 2500 reais, le dossier coûte 13500 euros",
    "group 12 has 4500 members, a file of 4500 kb",
    "the registration fee is 1200",
]


@pytest.mark.wide
@pytest.mark.parametrize("text", NOBODYS)
def test_words_around_it_say_that_it_is_nobodys(patterns: Patterns, text: str) -> None:
    assert found(patterns, text) == []


EXACTLY = [
    ("el NIE es Y7672367H pero no", ["Y7672367H"]),
    ("mi nie es 7672367 pero no", ["7672367"]),
    ("my TFN 414 457 276 on the outside", ["414 457 276"]),
    ("tax office wrote my TFN 414 457 276", ["414 457 276"]),
    ("nie/dni 80935482T", ["80935482T"]),
    ("passport AB3922093, exp 07/2031", ["AB3922093"]),
    ("passport 8813992, born 1990/12/02", ["8813992", "1990/12/02"]),
    ("Führerschein B\nBitte Lücke 2016/17", []),
    ("wifi name is FRITZ!Box 7590 and the key is 40771834", ["40771834"]),
    ('WLAN "Duene7" mit Passwort strandkorb-im-wind7', ["strandkorb-im-wind7"]),
    ("wifi at home, key walnut88harbor", ["walnut88harbor"]),
    ("the wifi name is Vodafone-7C2A and the password is hunter-green7", ["hunter-green7"]),
    ("DOD 3/1/24, DOB 7/8/31", ["7/8/31"]),
    ("hire date 04/18/2016, birth date 04/18/1986", ["04/18/1986"]),
    ("INSERT INTO users (id, dob) VALUES (1, '2019-03-05');", ["2019-03-05"]),
    ("INSERT INTO patients VALUES (1, 'x', '1961-03-05');", ["1961-03-05"]),
    ("username mangotree, pass later", ["mangotree"]),
    ("my username is mangotree", ["mangotree"]),
    ("soy hombre de 38, 1,74, 91 kg", ["38"]),
    ("AMT=7.00 AUTH=DECL(91)", []),
    ("my plate's KL 07 BX 4411 and mine", ["KL 07 BX 4411"]),
    ("la matrícula es 4471 KLM, es mía", ["4471 KLM"]),
    ("kennzeichen KA EN 2023, weg", ["KA EN 2023"]),
    ("el documento es 44719028", ["44719028"]),
    ("unit 7 plate R48-2KLT empty in town", ["R48-2KLT"]),
    ("plate ABC-1234 towed from the yard", ["ABC-1234"]),
    ("my plate is abc 1234 stolen last night", ["abc 1234"]),
    ("my plate is GO4 PIZZA lol", ["GO4 PIZZA"]),
    ("Date of birth 11/30/1979 SSN 447-90-1183", ["11/30/1979", "447-90-1183"]),
    ("pt NHS no 485 457 5530 dob 14/02/51 K low", ["485 457 5530", "14/02/51"]),
    ("mi dni es 92283454W y el de ella es 12345678Z", ["92283454W", "12345678Z"]),
]


@pytest.mark.parametrize(("text", "wanted"), EXACTLY)
def test_the_word_beside_a_value_is_no_part_of_it(patterns: Patterns, text: str, wanted: list[str]) -> None:
    assert found(patterns, text) == wanted


AGES = [
    "child 1 [6y2m], 21 kg; child 2 [3y11m], 15 kg",
    "baby Cillian, [3 weeks], and twin A [11 wks] 4.9kg",
    "just became a dad, she's [4 days old] and perfect",
    "Ogbonna [73]M fell, Szabó, Imre [70]M latex, Una [52]F",
    "[34]f, 5'6, 72kg and m/[52]/Cardiff",
    "kids in the van: [3], [5], [5] and [11], driver Pauline",
    "ages at the table: [4], [6], [39], [41]. a game",
    "nephews [4], [4] and [6], no patience",
    "they're [8] and [10], seat them together",
    "my mil ([71]) + fil ([75]), teen ([15]) and preteen ([11])",
    "crew: Iñaki (skip, [57]), Winifred (rm 4, [91]) off food",
    "1. **Sixtus Harrer**, [44], baker",
    "at [16] i left school, at [40] i went back, me at [15]: vegan",
    "dx at [33], pierced at [18], uncle died at [39] of it",
    "in my late [twenties], mid-[thirties], no savings, she is in her [70s]",
    "a toast for her [21]st, my father's [70th] and a plan, zum [50]. Geburtstag",
    "how old is he\nCaller: [69]... and how old?\n[14 months]",
    "my son Fiachra [8] didn't bite, brother Ansu [20], dad [77] mum [74] no",
    "my mother in law, [59], moves in, can my [13yo] fly, tengo [31 años], embarazada",
    "our girl, [23 months] in June, lap or seat",
    "he'll be [2] in june, she'll be [100] on the 2nd",
    "Tiene [siete años], tengo [treinta y dos años], J'ai [soixante-sept ans], ela tem [dezoito anos]",
    "Oma ist schon [zweiundachtzig], meine Tochter wird [vier], meu filho fez [cinco]",
]


@pytest.mark.parametrize("marked", AGES)
def test_ages_are_found_as_people_write_them(patterns: Patterns, marked: str) -> None:
    assert_found(patterns, marked)


VALUES = [
    # Births.
    "b.[6-1-72] m.8-20-94, Smith b. [3/2/81]",
    "born [12 of 2 of 57], né en [63], à Lyon",
    "geboren am [04. Jänner 1933], doğum tarihi [19 Ağustos 1991], birthday [Feby 9th 1871]",
    "my bday ([19/8]), anniversaire [14/02], GEBURTSTAG [12.2.]",
    "when ur bday is [jan 1] and birthday: [sept 4], cumple el [8 de diciembre]",
    "her birthday's the [2nd of March]",
    "date of birth: [sixteenth of the ninth seventy four]",
    "Date of birth for security?\nCustomer: [Eleventh of the fourth, fifty-three].",
    "DOB [twelve-twelve-seventy-two] he said",
    # Names of users.
    "post removed from u/[not_your_tio], GET /u/[mossyboots]/posts",
    "i'm [quietkettle] on Ravelry, plays as [moonpuddle] on Minecraft",
    "im [hexengarten] on insta, soy [solecito] en twitch",
    "new here, go by [dustpan] online, i post as [midnight_tilapia]",
    "my lichess is [knightrider_oke], my ebay is [attic-treasures-norma]",
    "«Party» [Moonpaw]: brb\n«Guild» [Elthorion]: how old",
    "[rust-belt-rita] opened this issue, [gravelbath] started following you",
    "[moth.er] liked your post, [Prawnstar] joined the game",
    "[nfriis]@edge02:~$ uptime",
    "user is [CORP\\hvdmeer] now, mysql -u[gitta] -p[sommerregen] laden",
    "assignee = [hkaplan] AND status, owner = [d_marchetti]",
    # Secrets.
    "the gate: [5519#], gate is [2673], lockbox [0-9-1-7], alarm is [91*53]",
    "key safe: [7 3 3 9], door b: [5-5-2], the safe: [26 - 07 - 33]",
    "exp 08/27 [306], and 3 digits on the back [719], three digits on the back? [118]",
    "4815332196131035|09/27|[330] and 4815332196131035, [882], 09/26",
    "Cookie: sid=[dtESLz4DGvKjzrRvV91x]; theme=dark",
    "redis-cli -a [teaspoon-gravel] ping",
    # Papers of more countries.
    "driver no. [PRYDD 457087 A99HT] plus, 1) Anwar, [SHEIK 806155 A99UB], clean",
    "Fahrerlaubnis Nr. [J4418BQ7W21], førerkort nr [66 02 184471 8], sürücü belgesi [204418]",
    "my learner permit number is [1184 2073], My permit number [094 712 638], DLN [D08472693]",
    "o CPF já existe, o meu pai [624.097.819-18], AHV [756.9217.0769.85], [784-1986-6832049-4]",
    "mi NUSS es [51/10048273/96], carte d'identité [140775204481], nid [1 1993 7 0092938 0 44]",
    "UCI [11-3002-0967], NIC [198729370241], personas kods [324119-00936], RV-Nr [65 170988 K 014]",
    "laissez passer [L0246390], pass. [A08684734]; my passprt no. is, [LM2049188]",
    "old book [PA7730291], new book [PB0018846], doc no [GK6150273]",
    "KV-Nummer [T204188317] bei der Barmer, Vers.-Nr. [T204817736], AOK versichert, Nummer [K882041773]",
    "UMR [2231-889], NHIF: [R-8820441], health no [9083-726-115], donor card [G0617 39 150628]",
    "agência [0442-1] conta [88.204-7], ag. [1622], conta [77.302-X]",
    "BIC [GENODEF1XYZ], swift [CCEYLKLX] konto [4412 8206], sort [77-49-12]",
    "sort code no wait it's [77-14-09], acc 44188206",
    "checking …[7315] got hit, savings ****[0962]",
    "It's [CX19 NPY] if you need it, fleet: [EO70 WKN] Sunil",
    "rego [BQJ41F] hit a roo, Teilkennzeichen [PF-ZZ 9], Kennz. [LOS-K 418]",
    # Numbers that are said.
    "mi número: [seis once, cincuenta y cinco, cero uno, veintiséis]",
    "son numéro est [zéro six, trente-neuf, quatre-vingt-dix-huit, douze, vingt-six]",
    "meu telefone é [noventa e um, vinte e dois, trinta e três, quarenta]",
]


@pytest.mark.parametrize("marked", VALUES)
def test_values_are_found_as_people_write_them(patterns: Patterns, marked: str) -> None:
    assert_found(patterns, marked)


_BRACKETS = str.maketrans("«»", "[]")  # those that stand in the text itself


def assert_found(patterns: Patterns, marked: str) -> None:
    pieces = [piece.translate(_BRACKETS) for piece in re.split(r"[\[\]]", marked)]
    text, cover = "".join(pieces), ""
    for number, piece in enumerate(pieces):
        cover += ("x" if number % 2 else ".") * len(piece)
    hidden = bytearray(len(text))
    for one in patterns.find(text):
        hidden[one.start : one.end] = b"x" * (one.end - one.start)
    left = [
        text[at] for at, sign in enumerate(cover) if sign == "x" and text[at].isalnum() and not hidden[at]
    ]
    assert not left, (text, found(patterns, text))
