"""Ages of people: "34 years old", "im 34", "34yo", "aged 34", "my son is 6", "Maria (9)", in five languages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.births import MONTH
from vault.redaction.patterns.forms import Form, recognizer

_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_BIG = rf"{_TENS}(?:[ -]{_ONES})?|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_WORD = rf"(?:{_BIG}|{_ONES})"
_N = rf"(?:1[01]\d|[1-9]?\d(?:[.,]5| 1/2| and a half)?(?!\d)(?: something)?|{_WORD}(?: and a half)?)"
_UNIT = (
    r"(?!\s?(?:%|percent|prozent|eur|usd|gbp|\$|:|/|km|kg|cm|mm|m\b|min|mins|minutes?|minuten|minutos|hours?|hrs?|h\b|stunden|horas|heures|weeks?|wks|days?|tagen?|dias|jours|seconds?|sec|am\b|pm\b|a\.m|p\.m|th\b|st\b|nd\b|rd\b|points?|pts|miles|mi\b|x\b|ft|feet|foot|inch|lbs?|pounds|times|mal\b|veces|vezes|fois|people|personas|"
    r"out of|of (?:the|them|us|my|those|these|you|our|your|his|her|their)|o'?clock|uhr|mb|gb|tb|k\b|million|thousand|hundred|steps?|stones?|st\b|degrees|grad|bucks|euros?|dollars?|quid|calls?|messages?|weeks|months? (?:late|pregnant|in|into|ago)|years? (?:in|into|ago|late|clean|sober|experience|of|at|without|married|older|younger)|'|\"|-\d|\.\d|,\d{3}))(?!\w)"
)
_OLD = r"(?:[ -]?(?:years?|yrs?|yr|y|months?|mos?|weeks?)[ -]?(?:old|young|of age)\b| ?y/?o\b| ?y\.o\.)"
_KIN = (
    r"(?:son|sons|daughters?|kids?|child|children|baby|boy|girl|boys|girls|lads?|twins?|toddler|wife|husband|mum|mom|mother|dad|father|nan|nana|gran|granny|grandma|grandad|grandpa|grandfather|grandmother|granddad|gramps|brother|sister|bro|sis|cousin|nephew|niece|aunt|auntie|uncle|partner|bf|gf|boyfriend|girlfriend|fiance\w?|friend|mate|roommate|flatmate|neighbou?r|boss|teacher|student|pupil|patient|client|customer|teen|"
    r"hija|hijo|hijos|hijas|hijita|mama|papa|abuel[oa]|madre|padre|herman[oa]|espos[oa]|nieta|nieto|novi[oa]|sobrin[oa]|tochter|sohn|kind|kinder|mutter|vater|oma|opa|bruder|schwester|mann|frau|dads|mums|moms|widow|widower|freund|freundin|enkel\w{0,2}|nichte|neffe|fille|fils|enfants?|mere|pere|mari|femme|frere|soeur|grand-mere|grand-pere|copain|copine|bebe|filh[oa]s?|mae|pai|avo|vo|irma|irmao|marido|mulher|oncle|tante|onkel|tia|tio|zia|zio|cunad[oa]|suegr[oa]|sogr[oa]|figli[ao]|mamma|nonn[ao]|fratello|sorella|marito|moglie|zus|broer|moeder|vader|zoon|dochter|amma|owner|holder|lady|man|woman|guy)"
)
_SUBJECT = re.compile(
    rf"(?:i'?m|i am|iam|he'?s|he is|she'?s|she is|they'?re|who'?s|who is|whos|im|hes|shes|we'?re both|you'?re|ur|is now|he was|she was|i was|i were|she'?d be|he'?d be|he'?d have been|she'?d have been|he'?ll be|she'?ll be|she|er is|sie ist|er ist|male|female|weiblich|mannlich|hes like|patient is|age is|age was|my age is|turn(?:ed|ing|s)?|aged?|age of|at age|ages|age\?|alter|edad|idade|eta|age,|age,\W?|umur(?: dah)?|lived to|liv(?:e|ing) to be|i'?d say|died,? at|died \w{{2,10}} \w{{2,10}} at|left us[^.\n\d]{{0,30}} at|crossed at|started (?:work )?at|retired at|married at|was, at|widowed at|orphaned at)\W{{0,3}}(?:(?:like|only|just|now|about|around|almost|nearly|already|a|til|till|over|still|barely|both|in my|turning|is|was|are|then|f|m|male|female|man|woman|nur|erst|schon|tired|gonna be|going to be|currently|than|have been|be)\W{{1,2}}){{0,2}}"
    rf"((?:almost |nearly )?{_N}(?:[- ]?(?:years?|yrs|yr|months|anos|ans|jahre|yo)(?: old)?\b)?){_UNIT}"
)
_FAMILY = re.compile(
    rf"{_KIN}\b(?:'s)?(?:[ ,]{{1,2}}(?!i\b|we\b|you\b)[a-z'-]{{2,16}}){{0,3}}?(?:[ ,]{{1,3}}(?:is|was|are|who'?s|who is|whos|turns|turned|turning|aged?|just turned|are aged|ist|wird|es|tiene|tienen|a|e|tem|cumple|fez|faz)\b|\s?[,(]|\W{{1,3}}he'?s|\W{{1,3}}she'?s|(?<='s)|(?<=dads)|(?<=mums)|(?<=moms))[ (]{{0,2}}(?:like|only|just|now|about|almost|nearly|already|erst|schon|today|tomorrow|next week|nachste woche)? ?"
    rf"((?:almost |nearly )?{_N}(?:[- ]?(?:years?|yrs|months|anos|ans|jahren?|monate|meses|mois|aninhos|anitos)\b)?){_UNIT}"
)
_MORE = re.compile(
    rf"(?: years?)?(?:, ?| and | und | y | et | e | & |, and )(?:the other (?:is )?)?({_N}(?: years?| anos| ans| jahre)?){_UNIT}(?!,\d)(?=\s?[,.;)!?\n]|\s(?:and|y|und|et|e|who|both|do|they)\b|$)"
)
_ROMANCE = re.compile(
    rf"(?:tengo|tngo|tiene|tienes|tenia|tenemos|tenho|tem|tinha|cumpli|cumplo|cumple|cumplas|cumplir|cumplio|fiz|fez|faz|faco|completei|(?:ho|hai|ha|avevo|aveva|compio|compie|compira|compiuto)(?=\s\d{{1,3}} anni)|j'ai|j'avais|il a|elle a|on a|agee? de|ich bin|bin|ist|er ist|sie ist|war|wird|werde|wurde|hija de|hijo de|de|mit|con|la de|el de|com|d'un|d'une|soy|sou|je suis|ai)\s(?:ya |solo |apenas |so |erst |schon |gerade |muchos mas de |mas de |casi |quase |nur |nachste woche |morgen |heute )?"
    rf"({_N}|[a-z]{{4,9}}(?: [ye] [a-z]{{3,6}})?) ?(anos|ans|anni|jahren?|tacos|primaveras|anitos|aninhos|monaten?|meses|mois|annees)\b(?! (?:de (?:experien|servi|casad|cotiz|trabaj|carrer)|en (?:el|la|un|una)|experience|erfahrung|lang|bei|dass|que (?:no|me|se|lo|vivo|trabaj)|d[ei] (?:antig|anzian|esperien|servizi|lavoro|contrat|metier|mariage|carriere|casa\b|empresa|matrimoni|garanti|contribut)|d'(?:anciennete|experience|esperienza|attes|etude)|fa\b))"
)
_OF_YEARS = re.compile(
    rf"(?:{_KIN}|chic[oa]|mujer|hombre|nin[oa]|senora?|muchach[oa]|ancian[oa]|garcon|dame|monsieur|homem|rapaz|moca|menin[oa]|senhora?|donna|uomo|ragazz[oa]|bambin[oa]|signora?|vrouw|meisje|jongen|junge|madchen|herr) (?:de|di|van|von) "
    r"(\d{1,3}(?: (?:anos|ans|anni|jaar|jahren)\b)?)(?=\s?[,;!?)\n]|\s?\.(?!\d)| (?:y|e|et|en|und|and|que|che|qui|die|who|con|com|avec|met|mit|with|sans)\b|$)(?!,\d)"
)
_BARE_ROMANCE = re.compile(
    rf"(?:tengo|tngo|tiene|tenho|cumplo|cumpli|cumplas mas de|muchos mas de|bin|ich bin|er ist|sie ist|erst|fez|fiz|nachste woche|tenia|tem|tinha)\s({_N})(?=\s?[,.;!?)\n]|\s(?:y|und|e|i|ja|and|pero|aber|mas|nachste)\b|$)"
)
_FIELD = re.compile(
    rf"(?:ages?|edad|alter|idade|age_years|player age|age of (?:player|patient|child|insured|driver))[\"']?\s{{0,2}}(?:\([a-z]{{1,8}}\))?\s{{0,2}}[:=|,?]\s{{0,3}}(?:[A-Za-z]{{2,12}}:\s)?[\"']?({_N}(?: anos| years?| ans| jahre)?(?: old)?)(?![\w%:/]|[.]\d)"
)
_NAMED = re.compile(
    r"(?<![\w.])(?!(?:True|False|None|Chapter|Figure|Fig|Section|Table|Page|Step|Version|Part|Article|Room|Windows|Python|Level|Vol|Note|Ref|Type|Class|Grade|Phase|Stage|Week|Day|Season|Episode|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Psalm|Genesis|Matthew|Luke|John|Act|Scene|Line|Number|No|Error|Code|Route|Gate|Unit|Item|Model|Question|Exercise|Lesson|Book|Channel|Highway|Apartment|Flat|Apt|Floor|Suite|Street|Road|Avenue|Box|Option|Top|Total|Score|Team|Group|Serie|Series|Terminal|Track|Platform|Size|Bed|Room|Hearing|Apartment|Age)\b)"
    r"[A-Z][A-Za-z'-]{1,20}(?: (?:van|de|der|von|la|al|bin|el|[A-Z][A-Za-z'-]{1,20})){0,3}\*{0,2}(?:, | ?\(| )(?:aged? )?"
)
_NAME_AGE = re.compile(
    _NAMED.pattern
    + r"(\d{1,3})(?= ?\)|,(?!\d)| (?:F|M|f|m)\b|\.(?:\s|$)|\n|$|yo\b| years?\b(?! (?!(?:old|young|and|of age|from|in|male|female|single|married|living)\b)[a-z])| anos\b| ans\b| Jahre\b| and [A-Z])(?!, ?(?:19|20)\d\d|, \d{1,3},)"
)
_SEX = re.compile(
    r"(?<![\w.])\(?(?:[fm](?=\d\d\b)(\d\d)\b|(\d\d) ?/?[fm]\b(?![\w'/-])|[fm] (?=\d\d\))(\d\d)(?=\)))"
)
_WHEN = re.compile(
    rf"(?:when i was|since i was|since we were|when he was|when she was|until i was|before i was|since age|at the age of|from age|write to me at|grandfather at|met him at|met her at|als ich|quando eu tinha|cuando tenia|quand j'avais|losing \w+ \w+ at)\s(?:like |about |only )?({_N}){_UNIT}"
)
_ANSWER = re.compile(
    rf"(?:how old|ages?|wie alt|que edad|cuantos anos|quel age|quantos anos)\b[^\n?]{{0,50}}\?[ ]{{0,2}}\n?(?:\w{{1,12}}: ?)?(?:[a-z']{{1,6}} )?(?:(?:haha|yup|yes|well|oh) )?({_N}){_UNIT}"
)
_LISTED = re.compile(
    rf"(?:i'?m|i am|ich bin|ich|soy|sou|je suis) [^.\n\d;!?()]{{1,44}}?,? ?\(?({_N})(?=[,;)\n]|\.(?!\d)| (?:jahre|years|and)\b|$)(?! ?%)"
)
_OLD_NOW = re.compile(
    rf"{_OLD}| (?:anos de edad|anos de idade|ans revolus|jahre alt|jahre jung|lat\b|saal(?= (?:ki|ka|ke|hai|h)\b))"
)
_YEARS = re.compile(
    r" ?-?(?:anos|ans|jahren?|years?|yrs?|anitos|aninhos|anazos|tacos|jahrige?r?|jaar|anni)\b"
)
_ALONE = re.compile(r" (?:anos|ans|jahre|anitos|aninhos|anni|jaar)(?=[,.;)\n]|$)")
_APART = re.compile(r"(?:, |\(|^|\n|: )$")
_ROW = re.compile(r"\bvalues ?\($")  # of a database
_EXPLAINED = re.compile(
    r"\b(?:explain|describe|eli)\b[^\n]{0,30}\b(?:i'?m|i am|i was) $|\b(?:tell|talk|speak|teach)\b[^\n]{0,30}\b(?:like|as if|as though) (?:i'?m|i am|i was) $"
)
_THING = (
    r"(?:dogs?|cats?|puppy|kitten|horse|pony|mare|gelding|hamster|rabbit|parrot|tortoise|turtle|cars?|van(?! \d)|truck|bike|house|home|building|flat|roof|boiler|furnace|mattress|sofa|laptop|computer|phone|pc|mac|macbook|iphone|ipad|kindle|tablet|tv|console|fridge|oven|dishwasher|tyres?|tires?"
    r"|tree|port|wine|whisky|whiskey|scotch|rum|cheese|bottle|cask|company|startup|club|stadium|league|museum|festival|codebase|repo|project|ticket|bridge|church|song|film|movie|book|game|label|drop"
    r"|carpet|rug|couch|fence|engine|battery|printer|router|monitor|camera|guitar|piano|violin|jacket|boots|mower|kettle|freezer|washer|washing machine|commit|bug|server|database|cactus|bonsai|sourdough|starter|labrador|beagle|spaniel|ragdoll|budgie|goldfish|gecko|hens?"
    r"|labs?|pups?|puppies|kittens|mutt|retriever|poodle|collie|terrier|husky|corgi|pug|bulldog|dachshund|chihuahua|rottweiler|greyhound|whippet|tabby|siamese|guinea pig|ferret|foal|stallion|filly|cockatiel)"
)
_THING_ELSEWHERE = (
    r"(?:perr[oa]|gat[oa]|gatit[oa]|cachorr[oa]|caball[oa]|coche|carro|bici|movil|ordenador|contrato|caldera|nevera|chien(?:ne)?|chatte|chiot|cheval|voiture|maison|immeuble|chaudiere|ordinateur|frigo|contrat|hund|hundin|katze|kater|welpe|pferd|auto|haus|heizung|fahrrad|rechner|vertrag"
    r"|cane|cagnolin[oa]|gatt[oa]|cavallo|macchina|caldaia|contratto|hond|paard|huis|fiets|cao|cadela|apartamento|(?:mon|le|ton|son|notre) chat|(?:mijn|onze|de|een|haar|zijn) (?:kat|poes))"
)
_OF_THING = re.compile(
    rf"\b{_THING}(?:'s)?(?:,| is| was| are| turned| turns| now| aged| already| about| over| nearly){{0,3}} $"
    rf"|\b{_THING}(?: is|,)? (?:called|named) [\w'-]{{2,16}}(?:,| and|, and)? (?:s?he(?:'s| is|s)|it(?:'s| is|s)) $"
    rf"|\b{_THING_ELSEWHERE}(?: [a-z]{{2,12}})? (?:tiene|tenia|tem|tinha|ha|aveva|a|avait|hat|ist|war|is|was|heeft)(?: ya| ja| gia| deja| schon| al| nu)? $"
)
_THING_NEXT = re.compile(rf"(?: |-)(?:[a-z]{{3,9}} )?{_THING}\b")
_NO_MAN = re.compile(
    r"\b(?:comme si|como si|als ob)[^\n]{0,16} $|\b(?:reading|retirement|pension|school|drinking|minimum|min|maximum|max|voting|median|average|mean|legal|mental) ages?\W{0,3}(?:of |is )?$|\b(?:aged|anyone|anybody|people|persons|those|adults|children|kids|drivers) (?:over|under|above|below) $|\b(?:gravida|embarazada|enceinte|schwanger)(?: de)? $"
)
"""It says before a number that it is nobody's age."""

_DOUBTS = re.compile(
    rf"\b(?:{_THING}|{_THING_ELSEWHERE})\b|\b(?:explain|describe|eli|tell|talk|speak|teach)\b|\b(?:comme si|como si|als ob)\b|\bages?\b|\b(?:over|under|above|below)\b|\b(?:gravida|embarazada|enceinte|schwanger)\b"
)

_SPAN = re.compile(
    r"(?:[ -]?(?:years?|yrs?|months?|mos?|weeks?|wks|days?|anos|ans|jahre|meses|mois|monate))? (?:pregnant|schwanger|gravida|embarazada|enceinte|older|younger|alter als|junger|ago|later|clean|sober|late\b|into\b|in the order|long\b|down\b|at most|viewers|followers|of (?:experience|service))"
    r"|(?: and \d{1,2})? in (?:the (?:table|rankings?|league|standings|queue|list)|nike|adidas|zara|asics|cos|h&m|uniqlo|levi'?s|vans|puma|converse|shoes?|ring|uk|us|eu|eur|jeans|suits?|bra|size|inches|cm)\b"
    r"| (?:and|or) (?:over|older|above|under|younger|below)\b(?! (?:it|him|her|the|this|that|my|me)\b)"
)
"""It says behind a number that it is a span of time, a size or a rank."""

_AGES_UP = re.compile(r"\bage[sd]?\W{1,3}$")
_TO = re.compile(r"\+| ?(?:to|-|bis) ?\d")
_SIZED = re.compile(r"(?:^|\W)an? $")
_PERSON = re.compile(
    r" ?/?[mf]\b| (?:male|female|man|woman|guy|girl|lady|single|married|mother|father|mom|mum|dad|y\b)"
)
_PLACE = re.compile(
    r"\b(?:day|week|month|round|level|lvl|nivel|floor|room|bed|row|seat|page|step|stage|grade|class|chapter|route|score|at|til|till|until|since|for|from|by|within|every|per|version|size|ab|um|vom|bis|seit|here|under|over|nota|termin|pflegegrad|am|den|dem|zum|(?<!going )on|form|standard|std|year|yr|klasse|term|semester|season|episode|series|tier|lesson|gate|platform|unit|line|box|item|exercise|question|part"
    r"|reihe|platz|sitz|wagen|gleis|stock|seite|stufe|linie|tisch|zimmer|raum|kapitel|teil|folge|rang|fila|asiento|butaca|vagon|coche|anden|pagina|planta|piso|habitacion|capitulo|parte"
    r"|linea|mesa|puesto|rangee|siege|voiture|quai|place|chambre|chapitre|etage|ligne|table|fileira|assento|lugar|vagao|plataforma|andar|quarto|linha|sala)\W{1,2}$"
)
_COUNTS = re.compile(
    r"(?:1 (?!year|today|now|and|but|in|on|at|who|this|next|tomorrow)[a-z]{3,}|\d{1,3} (?!years|yrs|months|mths|mos|weeks|days|always|loves|likes|wants|needs|has|is|was|hates|lives|plays|goes|does|says|asks|starts|keeps|weighs|works|speaks)[a-z]{3,}s)\b"
)
"""How many of something there are."""

_NUMBERED = re.compile(rf"\. ?(?:{MONTH}\b|bis\b)|\.?[oa]\b")
_ITEM = re.compile(r"(?:^|\n)[ \t]*$")
_CAPITALS = re.compile(r"(?:\b[A-Z][A-Za-z]?[A-Z0-9]{0,2} |[A-Z]\()$")
_TENTH = re.compile(r"(?:^|[\s(:])[12],$")
_ROAD = re.compile(r"\b(?:the|on|off|via|auf|der) [mf]$")
_LENGTH = re.compile(r"m (?:from|deep|long|high|away|above|below|tall|ago|wide|race|sprint)\b")
_PERIOD = re.compile(r"\b(?:for|every|interval|timeout|in|after|within|wait|last|next)\W{1,3}$|  $")
_AM = ("m ", "s ", "m \n", "s \n")  # how that ends
_HOURS = re.compile(r"\dh $")
_ORDINAL = re.compile(r"(?:th|st|nd|rd)(?=,? (?:birthday|bday|b-day|year of (?:his|her) life)\b)")
_KINDRED = re.compile(rf"\b{_KIN}\b")
_HAPPY = re.compile(r"(?:happy|father's|mother's|dad's|mum's|mom's|nan's|gran's|wife's|husband's) $")
_CLOSING = frozenset(".)oa")  # what may stand behind the number of an item, a day or a floor
_HEIGHT = re.compile(r",\d\d(?!\d)")
_TH = re.compile(r"(?:th|st|nd|rd)\b")
_RANGE = re.compile(r"\d{1,3}")
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"[a-z']+")
_REACH, _TOKENS = (
    64,
    10,
)  # how far before a number, and among how many words, the word that makes it an age may stand
_FIRST = (
    (
        _SUBJECT,
        r"i'?d|he'?d|she'?d|he'?ll|she'?ll|er|sie|male|female|i'?m|i|iam|he'?s?|she'?s?|they're|who'?s?|we're|you're|ur|is|patient|age|my|turn\w{0,3}|aged|ages|alter|edad|idade|eta|at|were|umur|lived|living|live|died|left|crossed|started|retired|married|was|widowed|orphaned",
    ),
    (_FAMILY, _KIN),
    (
        _ROMANCE,
        r"tengo|tngo|tiene|tienes|tenia|tenemos|tenho|tem|tinha|cumpl\w{1,3}|fiz|fez|faz|faco|completei|ho|hai|ha|avevo|aveva|compi\w{1,4}|j'ai|j'avais|il|elle|on|agee?|ich|bin|ist|er|sie|war|wird|werde|wurde|hija|hijo|de|mit|con|la|el|com|d'une?|soy|sou|je|ai",
    ),
    (
        _BARE_ROMANCE,
        r"tengo|tngo|tiene|tenho|cumpl\w{1,3}|muchos|bin|ich|er|sie|erst|fez|fiz|nachste|tenia|tem|tinha",
    ),
    (
        _OF_YEARS,
        rf"{_KIN}|chic[oa]|mujer|hombre|nin[oa]|senora?|muchach[oa]|ancian[oa]|garcon|dame|monsieur|homem|rapaz|moca|menin[oa]|senhora?|donna|uomo|ragazz[oa]|bambin[oa]|signora?|vrouw|meisje|jongen|junge|madchen|herr",
    ),
    (_FIELD, r"ages?|edad|alter|idade|player"),
    (_LISTED, r"i'?m|i|ich|soy|sou|je"),
    (
        _WHEN,
        r"when|since|until|before|at|from|write|grandfather|met|under|als|quando|cuando|quand|older|younger|losing",
    ),
    (_ANSWER, r"how|ages?|wie|que|cuantos|quel|quantos"),
)
_READERS = tuple((pattern, re.compile(first)) for pattern, first in _FIRST)


@functools.lru_cache(maxsize=4096)
def _readers(word: str) -> tuple[re.Pattern[str], ...]:
    """The patterns that can begin with a word."""
    return tuple(pattern for pattern, first in _READERS if first.fullmatch(word))


_NO_AGE = re.compile(r",\d{3}|\.\d{1,3}\.|\.\d{3}|\x01|\s?(?:metres?|meters?|bpm|mmhg|degrees)\b")


_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{3,6})?\.? $")
"""Behind it stands a day."""


def _plausible(value: str) -> bool:
    number = _RANGE.search(value)
    return number is None or 0 < int(number[0]) <= 117


def _is_nobodys(low: str, start: int, end: int, *, doubtful: bool) -> bool:
    """Say whether what looks like an age is a span of time, or the age of a thing or of a group.

    Where nothing is `doubtful`, no such word stands anywhere in the text.
    """
    if _SPAN.match(low, end) or (_AGES_UP.search(low, max(0, start - 8), start) and _TO.match(low, end)):
        return True
    if not doubtful:
        return False
    old = _OLD_NOW.match(low, end)
    return bool(
        (old and _THING_NEXT.match(low, old.end()))
        or _NO_MAN.search(low, max(0, start - 30), start)
        or (low.endswith(_AM, 0, start) and _EXPLAINED.search(low, max(0, start - 40), start))
        or _OF_THING.search(low, max(0, start - 44), start)
    )


_FOR = re.compile(
    r"\b(?:(?P<ha>ha)|y a|hace|vor|seit|depuis|da|per|por|pendant|durante|ogni|cada|dans|fra|tra|dopo|apres|despues de|depois de|nach|sinds)"
    r"(?: (?:solo|mas de|mais de|piu di|plus de|mehr als|quase|casi|circa|unos|fast|gut))? $"
)
_SO_MANY = re.compile(r"\d{1,3} (?P<unit>anos|ans|anni|jahren?|jaar)\b(?P<ago> (?:fa|geleden|atras)\b)?")


def is_no_lifetime(before: str, rest: str) -> bool:
    """Say whether a number of years, in lower case, is how long something takes or how old a thing is."""
    if _OF_THING.search(before):
        return True
    years = _SO_MANY.match(rest)
    if years is None:
        return False
    since = _FOR.search(before)
    return bool(years["ago"] or (since and (since["ha"] is None or years["unit"] == "anos")))


def _is_counted(pattern: re.Pattern[str], low: str, start: int, end: int) -> bool:
    """Say whether the number is a place in a row, how many there are of something, or a size."""
    if pattern is _SUBJECT:
        return bool(_SIZED.search(low, max(0, start - 4), start) and not _PERSON.match(low, end))
    if (
        pattern is not _LISTED and pattern is not _FAMILY
    ):  # to look them up in a set takes longer than to match
        return False
    return bool(
        _PLACE.search(low, max(0, start - 14), start)
        or (low.endswith(", ", 0, start) and _COUNTS.match(low, start))
    )


def _read(folded: Folded, start: int, end: int) -> Iterator[Hit]:
    """Whether the number at a place is an age."""
    low = folded.low
    if old := _OLD_NOW.match(low, end):
        yield Hit("AGE", start, old.end(), 0.85)
        return
    if _MONTH.search(low, max(0, start - 12), start):
        return
    for word in list(_TOKEN.finditer(low, max(0, start - _REACH), start))[-_TOKENS:]:
        for pattern in _readers(word[0]):
            match = pattern.match(low, word.start())
            if match is None or not match.start(1) <= start < match.end(1) or not _plausible(match[1]):
                continue
            if _is_counted(pattern, low, start, end):
                continue
            if pattern is _ROMANCE and not (
                match[1][0].isdigit() or re.search(r"[yei] |te$|ze$|nta", match[1])
            ):
                continue
            end = match.end(2) if pattern is _ROMANCE else match.end(1)
            yield Hit("AGE", match.start(1), end, 0.7)
            while (
                pattern is not _SUBJECT and (following := _MORE.match(low, end)) and _plausible(following[1])
            ):
                yield Hit("AGE", following.start(1), following.end(1), 0.6)
                end = following.end(1)
            return


def _find(folded: Folded, _ends: Ends) -> Iterator[Hit]:
    low, text = folded.low, folded.text
    doubtful: bool | None = None
    for number in _DIGITS.finditer(low):
        start, end = number.span()
        if end - start > 3 or not 0 < int(number[0]) <= 117 or number[0][0] == "0":
            continue
        before, after = low[start - 1 : start], low[end : end + 1]
        if after in _CLOSING and (
            _NUMBERED.match(low, end) or (after != "o" and _ITEM.search(low, max(0, start - 9), start))
        ):
            continue
        if (before == "," and _TENTH.search(low, max(0, start - 4), start)) or (
            after == "," and number[0] in {"1", "2"} and _HEIGHT.match(low, end)
        ):
            continue
        if before in {"f", "m"} or low[end : end + 1] in {"f", "m"}:
            if (match := _SEX.match(low, start - 1)) or (match := _SEX.match(low, start)):
                group = match.lastindex or 1
                if _HOURS.search(low, max(0, start - 3), start) or _ROAD.search(
                    low, max(0, start - 8), start
                ):
                    continue
                if _LENGTH.match(low, end) or _PERIOD.search(low, max(0, start - 12), start):
                    continue
                if number[0] in {"16", "32", "64"} and before == "f":  # how many bits it has
                    continue
                if text[max(0, start - 1) : end + 1].islower() or low[start - 2 : start - 1] == "(":
                    yield Hit("AGE", match.start(group), match.end(group), 0.4)
            continue
        if (
            before.isalnum()
            or (
                before in {".", ",", "$", ":", "/", "#", "-", "_", "+"}
                and low[start - 2 : start - 1] not in {"age", '"'}
            )
        ) and not (before == ":" or before == ","):  # noqa: PLR1714
            continue
        if _NO_AGE.match(low, end):
            continue
        if low[end : end + 1] == ")" and "(" not in low[max(0, start - 60) : start]:
            continue  # of a list
        if low[end : end + 1].isalpha() and not _OLD_NOW.match(low, end):
            continue
        hits = list(_read(folded, start, end))
        if hits:
            if doubtful is None:
                doubtful = _DOUBTS.search(low) is not None
            if _is_nobodys(low, start, end, doubtful=doubtful):
                continue
        if (
            not hits
            and before in {" ", "("}
            and text[max(0, start - 30) : start].rstrip(" (,*")[-1:].isalpha()
            and not _CAPITALS.search(text, max(0, start - 6), start)
            and not (before == "(" and low[start - 3 : start - 1] in {", ", "; ", ": "})
            and not (low[end : end + 1] == ")" and "(" not in low[max(0, start - 30) : start])
            and text[max(0, start - 44) : start] != low[max(0, start - 44) : start]  # a name has a capital
            and any(
                found.start(1) == start for found in _NAME_AGE.finditer(text, max(0, start - 44), end + 8)
            )
        ):
            listed = (
                (before == "(" and not _ROW.search(low, max(0, start - 9), start))
                or text[start - 2] == ","
                or _KINDRED.search(low, max(0, start - 90), start)
            )
            hits = [Hit("AGE", start, end, 0.5)] if listed else []
        if not hits and (alone := _ALONE.match(low, end)) and _APART.search(low, max(0, start - 2), start):
            hits = [Hit("AGE", start, alone.end(), 0.5)]
        if (
            not hits
            and _TH.match(low, end)
            and (_HAPPY.search(low, max(0, start - 10), start) or _ORDINAL.match(low, end))
        ):
            hits = [Hit("AGE", start, end + 2, 0.5)]
        for hit in hits:
            unit = _YEARS.match(low, hit.end)
            yield hit if unit is None else Hit("AGE", hit.start, unit.end(), hit.score)


def _find_words(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low = folded.low
    for match in around(_WORDS, low, ends, 14, 14):
        if low.endswith(_THERE, 0, match.start()) or _is_nobodys(low, *match.span(), doubtful=True):
            continue
        yield from _read(folded, match.start(), match.end())


_JOINT = r"[)\]]?(?: ?[/,&] ?| and )(?:and )?[(\[]?"
_PAIR = re.compile(
    rf"\b(m\d\d)(?:{_JOINT}| ?)([fw]\d\d)\b|\b([fw]\d\d)(?:{_JOINT}| ?)(m\d\d)\b"
    rf"|\b(\d\d ?m)(?: here)?{_JOINT}(\d\d ?[fw])\b|\b(\d\d ?[fw])(?: here)?{_JOINT}(\d\d ?m)\b"
    r"|\b(\d\d ?[mf])(?= here\b)|(?<=/ )(\d\d ?[mf])(?= ?/)"
)
_NEARLY = re.compile(
    r"\bpushing ([4-9]0|100)\b(?! ?(?:mph|km|kg|k\b|%|percent|people|degrees|grand|dollars|euros|pounds|miles|watts|fps))"
)
_DECADE = re.compile(
    r"\bin(?:to)? (?:my|his|her|their|your) ((?:early|mid|late)[ -](?:[2-9]0'?s|twenties|thirties|forties|fifties|sixties"
    r"|seventies|eighties|nineties))\b"
)
_WORDS = re.compile(rf"\b{_WORD}\b")
_THERE = ("there are ", "there were ", "there is ", "there was ")  # so many of something
RECOGNIZERS = (
    Recognizer("ages", (r"\d",), _find),
    Recognizer(
        "ages in words",
        (
            rf"\b(?:{_BIG})\b",
            rf"\b(?:is|was|i'?m|am|he'?s|she'?s|who'?s|were|are|turn\w{{0,3}}|aged?|almost|nearly|like|mere)[ ,]{{1,2}}{_ONES}\b",
            rf"\b{_ONES}[ -](?:years?|months?|yrs?)\b",
        ),
        _find_words,
        every=True,
    ),
    recognizer(
        "AGE",
        Form(
            "ages by sex",
            r"[mfw]\d\d[\])]?[ ,/&]{0,3}(?:and )?[(\[]?[mfw]\d\d|\d ?[mfw](?: here)?[\])]?[ ,/&]{1,3}(?:and )?[(\[]?\d\d ?[mfw]"
            r"|\d\d ?[mf] here\b|/ \d\d ?[mf]",
            _PAIR,
            28,
            8,
        ),
    ),
    recognizer("AGE", Form("ages nearly reached", r"\bpushing \d\d", _NEARLY, 12, 14)),
    recognizer("AGE", Form("decades of lives", r"\b(?:early|mid|late)[ -][2-9efnst]", _DECADE, 24, 16)),
)
