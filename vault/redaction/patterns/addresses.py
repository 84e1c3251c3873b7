"""Postal addresses: street and number in the forms of a dozen countries, flats, PO boxes and postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.births import MONTH
from vault.redaction.patterns.germanic import GERMANIC, is_germanic

_STRONG = r"(?:street|road|avenue|lane|close|crescent|drive|terrace|boulevard|blvd|gardens|gdns|mews|parade|highway|hwy|parkway|pkwy|ave|rd|ln|cres|tce|crt|pde|esplanade|quay|nagar|marg|colony|layout|street's)"
_SHORT = r"(?:st|av|ct|cl|dr|pl|sq|court|place|square|way|grove|hill|row|walk|circle|cir|trail|trl|loop|bend|run|rise|view|green|park|wharf|alley|path|pike|broadway|cross|extension|estate|strip|mount|vale|gate|wynd|brae|dene|haven|close|point|yard|maltings|fold|croft|drove|parade|ridge|heights|hts|terr|bypass|freeway|expressway|pass|cove|cv|plaza|plz|landing|crossing|xing|hollow)"
_NUMBER = r"(?:(?:no\.? ?|nr\.? ?|number |#|h\.? ?no\.? ?|plot |house |lot )?\d{1,5}[a-z]?(?: ?[-/&] ?\d{1,5}[a-z]?)?(?: and \d{1,5})?)"
_UNIT_BEFORE = (
    r"(?:(?!\w+\.?, )(?:flat|apt\.?|apartment|unit|suite|room|floor|studio|shop|block|bldg|house)(?: flat)? ?(?!(?:on|at|in|of|by|to|is|or|as|an|my|we|he|it|am|up|so)\b)[a-z]?\d{0,4}[a-z]?(?:/\d{1,4})?,? (?:floor \d{1,2},? )?"
    r"|(?:(?:basement|top|ground|garden|upper|lower|first|second|third|fourth|fifth|\d(?:st|nd|rd|th)) (?:floor|flat)(?: flat)?(?: ?[a-z]?\d{1,3})?|basement),? )"
)
_FLOOR = re.compile(r"^(?:\w+ )?floor\b[^a-z]*")
_NAME = r"[a-z][a-z'.-]{0,24}"
_EN = re.compile(
    rf"(?<![\w.,:/$#-]){_UNIT_BEFORE}?{_NUMBER},? (?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west|old|upper|lower|new|great|little)\.? )?"
    rf"(?:(?:the |st\.? )?{_NAME} {_NAME} {_NAME} |(?:the |st\.? )?{_NAME} {_NAME} |(?:the |st\.? )?{_NAME} |\d{{1,3}}(?:st|nd|rd|th) )(?:(?P<strong>{_STRONG})|(?P<short>{_SHORT}))\b\.?(?: (?:n|s|e|w|ne|nw|se|sw|north|south|east|west))?(?![\w'])"
)
_EN_ORDINAL = re.compile(
    r"(?<![\w.,:/$#-])\d{1,6} (?:[nsew]\.? |north |south |east |west )?(?:\d{1,3}(?:st|nd|rd|th)|broadway|main|park)(?: (?:st|street|ave|avenue|pl|rd|road|dr))?\b\.?(?=,| apt| #|\n| unit)"
)
_NO_STREET = re.compile(
    r"\b(?:hrs?|herr|frau|mr|mrs|minutes?|mins?|hours?|days?|weeks?|months?|years?|times?|percent|people|steps?|ways?|of|in|on|to|is|are|was|were|and|or|for|with|at|from|by|per|miles?|km|kilometers|meters|metres|feet|cars?|lanes?|items?|things?|points?|tips?|ideas?|this|that|these|those|my|your|his|her|our|their|which|what|more|less|other|another|every|each|i|you|he|she|we|they|it|a|an|not|any|all|some|no|one|two|three|bus|bike|inch|km/h|mph|lb|kg|pm|am|a\.m|p\.m|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec|th|st|nd|rd|if|then|so|as|but|because|way)\b"
)
_ROMANCE = r"(?:calle|c/|c\.|avenida|avda\.?|av\.?|avd\.?|plaza|pza\.?|paseo|pso\.?|carrer|carretera|ctra\.?|camino|cami|travesia|ronda|glorieta|rambla|rua|r\.|travessa|tv\.?|praca|pca\.?|alameda|al\.|estrada|largo|beco|rodovia|quadra|rue|avenue|boulevard|boul\.|bd\.?|place|impasse|chemin|ch\.|allees?|quai|cours|passage|route|square|sentier|faubourg|via|viale|piazza|corso|vicolo|largo|ul\.|ulica|aleja|os\.|pl\.|jr\.|jiron|cra\.?|carrera|kra\.?|cl\.?|calzada|calz\.|prolongacion|prol\.|bv\.?|bulevar|blvd\.?|diagonal|transversal|pasaje|psje\.?|cerrada|privada|calcada|quinta|praceta|urbanizacao|linha|sqn|sqs|strada|str\.|bulevardul|soseaua|c/o)"
_PREFIX_FIRST = re.compile(
    rf"(?<![\w/.]){_ROMANCE}(?:(?<=[./]) ?| )(?:(?:d[eoa]s?|del|della|dei|la|las|los|le|les|l'|d'|du|des|el|san|santa|sao|sta\.?|dr\.?|gen\.?|sra\.?) ?){{0,3}}[a-z0-9](?:[a-z]{{0,3}}\.|[a-z0-9'-]{{0,24}})(?: (?:[a-z]{{1,3}}\.|[a-z][a-z'-]{{0,24}})){{0,5}}?(?:,? ?(?:n\.?[ o]{{0,2}}|num\.?|no\.?|nr\.?|#|n.o) ?|,? )(?:\d{{1,6}}(?: ?[a-z](?![a-z]))?(?: ?[-/] ?\d{{1,5}}[a-z]?){{0,3}}|s/n|km \d{{1,4}}(?:[.,]\d)?)(?![\w%]|[.,:]\d)"
)
_NUMBER_FIRST = re.compile(
    r"(?<![\w.,:/$#-])\d{1,5}(?: ?(?:bis|ter|quater|[a-d]))?,? (?:rue|avenue|av\.?|ave\.?|boulevard|boul\.?|bd\.?|place|pl\.?|impasse|chemin|ch\.?|allees?|quai|cours|passage|route|square|sentier|faubourg|fbg|rte|lotissement|residence|villa|cite|heol|ffordd|stryd|rhes|bulevar|jalan|jln|lorong|via)\.? (?!(?:of|to|in|on|at|by|is|was|are|and|for|from|the|that|where|which|with|met(?:er|re)s?|f[eo]{2}t|inch(?:es)?|miles?|km|root)\b)(?:(?:d[eu]s?|du|de la|de l'|d'|la|le|les|l'|y|jt) ?)?[a-z][a-z'.-]{0,24}(?:[ -](?:d[eu]s?|du|la|le|les|l'|d'|et|y|[a-z][a-z'.-]{1,24})){0,4}?(?=,|\n|\.|$|\)|\"|;| \d{4,5}| [ew]\b| est\b| ouest\b| app|\s?\(| \w)"
)
_BOX = re.compile(
    r"\b(?:bl|bloco|bloque|blk|torre)\.? ?[a-z]?\d{1,3}[a-z]?,? (?:sc\.? ?\w{1,2},? )?(?:ap|apto|apt|apartamento|depto)\.? ?\d{1,4}|\b(?:flat|apt\.?) \d{1,4}[a-z]?\b(?![.,]\d)(?:, (?:\w{2,7} floor|\d{1,3}[a-z]? [a-z]{3,20} (?:street|road|st|rd)))?|\b(?:p\.? ?o\.? ?box|gpo box|private bag|locked bag|postfach|apartado(?: postal| de correos)?|apdo\.?|caixa postal|(?<!\bla )(?<!\blas )casilla(?: de correo)?|postbus|boite postale|b\.p\.)(?: no\.?)? ?[a-z]?\d{1,6}(?: \d{2,4})?(?!\w)"
)
_UK = r"(?:gir ?0aa|[a-z]{1,2}\d[a-z\d]? ?\d[abd-hjlnp-uw-z]{2})"
_ZIP = rf"(?:{_UK}|[abceghj-nprstvxy]\d[a-z][ -]?\d[a-z]\d|\d{{4}}-\d{{3}}|\d{{5}}-\d{{3,4}}|\d{{3}}-\d{{4}}|\d{{2}}-\d{{3}}|\d{{4}} ?[a-z]{{2}}|[a-z]{{1,2}}-?\d{{4,5}}|[a-z]\d{{4}}(?:[a-z]{{3}})?|\d{{4,6}}|\d{{3}} \d{{2,3}}|[a-z]\d[\dw] ?[a-z0-9]{{4}})"
_SHORTLY = r"(?:[a-z]?\d[\w/.-]{0,10}|(?!(?:i|is|it|in|on|at|of|to|he|we|my|so|no|if|or|as|by|do|me|up|us|am|an|be|go)\b)[a-z]{1,2}(?![\w']))"
_INNER = (
    r"(?:(?:,| -|\n)? ?(?:(?:piso|pta|puerta|esc|escalera|dpto|depto|dep|interior|bajo|appartement|bat|batiment|etage|hinterhaus|vorderhaus|wohnung|whg|og|eg|dg|stock|bloco|bl|casa|lote|andar|sala|bldg|building|col|colonia|urb|edificio|edif|residencial|tower|torre)(?![a-z])\.?:? ?[\w/.-]{0,12}"
    rf"|(?:apt|apartment|unit|flat|block|suite|ste|app|appt|apto|floor|fl|top|lgh|int|#|no|res|lok|m|local|room|rm|gate|level|lvl)(?![a-z])\.?:? ?{_SHORTLY}"
    r"|\d{1,3}\.? ?(?:o|a|er|eme|og|tv|th|mf|st|izq|dcha|izda|der|esq)\.?(?: ?[a-z]{1,5}\.?)?|(?:2nd|3rd|1st|\dth|second|third|first|ground|top|fourth|fifth) floor|bajo [a-z]|(?:izq|dcha|izda|links|rechts|mitte)\.?|(?<!\n)(?<!\n )\d{1,2}[-/]\d{1,2}(?![-/]\d)|[a-h] \d{1,3}\b|/?top \d{1,3}|lote \d{1,3}|fundos|[a-z]\b))"
)
_TAIL = re.compile(
    rf"(?:{_INNER}(?![a-z0-9])){{0,3}}(?:(?:(?:,| -| \|)[ ]?|\n|, | )(?:[a-z][a-z.'-]{{1,20}}(?: [a-z][a-z.'-]{{1,20}}){{0,3}}(?:,[ ]?|[ ])){{0,4}}?(?:(?:nsw|vic|qld|tas|wa|sa|act|nt|qc|on|bc|ab|[a-z]{{2}})[ ,]{{1,2}})?(?:cep |cp |c\.p\. )?(?:[a-z]{{1,2}}-)?{_ZIP}(?![\w%]|[.,:]\d)(?: ?(?:cedex|caba|ii|iii))?)?"
)
_ZIP_TOWN = re.compile(
    r" (?:Sta?\.|S\.|Bad|[A-Z][\w'/-]{1,24})(?: (?:am |an der |de |de la |del |do |da |di |sur |sous |les )?(?:[A-Z][\w'/-]{1,24}|N|V|K)){0,2}(?=[\s,.;)\"]|$)"
)
_UNITS_ONLY = re.compile(rf"(?:{_INNER}(?![a-z0-9])){{0,3}}")
_OF_TOWN = r"(?:(?:Ste?|Sta|Sto|Ft|Mt|Pt)\.|[A-Z][a-z'-]{1,20})"
_TOWN_NAME = rf", {_OF_TOWN}(?: (?:de |del |la )?{_OF_TOWN}){{0,2}}"
_TOWN = re.compile(
    rf"{_TOWN_NAME}(?: \d{{1,2}}(?!\w))?(?=[.;\n)\"]|$)|{_TOWN_NAME}{_TOWN_NAME}(?=[.;\n)\"]|$)|{_TOWN_NAME}(?: \d{{1,2}}(?!\w))?(?=,)"
)
_POSTCODE = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d)(?![\w-])"
)
_UK_WHOLE = re.compile(
    r"(?<![\w.,:/$#-])(?:\d{1,4}[a-z]? )?[A-Z][A-Za-z'-]{1,20}(?: (?:of |the |y |and )?[A-Z][A-Za-z'-]{1,20}){0,4}(?:, [A-Z][A-Za-z'-]{1,20}(?: (?:of |the |y )?[A-Z][A-Za-z'-]{1,20}){0,3}){0,2},? [A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)"
)
_US_WHOLE = re.compile(
    r"(?<![\w.,:/$#-])\d{1,6} (?:[A-Z0-9][\w.'#-]{0,20},? ){1,8}?[A-Z]{2},? \d{5}(?:-\d{4})?(?!\w)"
)
_NUMBERED = re.compile(r"(\d{1,2} )(?:[A-Z][a-z'-]{1,20} ){0,2}[A-Z][a-z'-]{1,20}, [A-Z]{2},? \d{5}")
_LINE_BEFORE = re.compile(r"(?:^|\n)\d{1,2}\.?\)? [^\n]{1,100}\n$")
"""A line with a number of its own before one with another: a form's."""

_ZIP_SAID = re.compile(
    rf"\b(?:zip(?: ?code)?|post ?codes?|postal ?code|postal_code|plz|postleitzahl|cp|c\.p\.|codigo postal|code postal|cep|eircode|pin ?code|zipcode)\b[\"']?(?:[ :=\"'|,-]|\b(?:is|was|ist|es|est|e|and|ends|in|number|would|be|we'd|have|had|then)\b|\?\n?){{1,8}}(?:\w{{1,10}}: ?)?({_ZIP}|\d[a-z]{{2}})(?![\w%])"
)
_UK_ASKED = re.compile(
    r"\bpost ?codes?\b[^\n]{0,40}?(?:\n[^\n]{0,60}?)?(?<![\w-])([a-z]{1,2}\d[a-z\d]? ?\d[abd-hjlnp-uw-z]{2})(?![\w-])"
)
_LINE = re.compile(r"^(?:[A-Z]{1,2}-)?\d{5} [A-Z][a-z]{2,20}(?:[ -][A-Za-z]{2,20}){0,3}$", re.MULTILINE)
_CAPITAL = r"(?:(?:[A-Z]\.){1,3}|(?:St|Ste|Sta|Sto|Ave|Avda|Av|Dr|Rd|Ln|Blvd|Ct|Pl|Sq|Mt|Ft|Gen|Col|Hwy|Apt|No|Nr|Str|Jr|Sr|Prof)\.|[A-Z][\w'-]{0,24}+(?:\.[\w'-]{1,12})?)"
"""A word of an address. Where a sentence ends behind it, the address does."""

_SAID = re.compile(
    r"\b(?i:i live (?:at|in)|lives? at|living at|we live at|we'?re at|we are at|my (?:home )?address is|address(?: is|:|,)|addr:?|(?:old|new) addr|be at|r/o|ship(?:s|ped)? from|moved from|flat is|send (?:post|mail) to|adresse ?:|adresse|direccion:?|endereco:?|anschrift:?|ship(?:ped)? to|deliver(?:y|ed)? to|send it to|residing at|resident at|registered at|moved to|i'?m at|im at|my place is|house nr|vivo en|moro na|moro no|habite au|wohne in der|wohne am|wohnhaft|domicilio(?: fiscal)?:?|domiciled at|residente (?:en|na|em)|parked (?:at|on)|pick up at|pickup at|address\"? ?[:=] ?\"|\"?(?:street|strasse|rue|calle|rua|direccion|adresse|endereco|address_?(?:line)?_?\d?)\"? ?[:=] ?\")"
    rf"[ :]{{0,2}}((?:(?:flat|apt|unit|house|plot|h\.no\.|no\.?|nr\.?) ?)?\d{{1,5}}[a-z]?(?:[/-]\d{{1,4}}[a-z]?)?,? (?:{_CAPITAL}|de|la|le|van|y|of)(?:,? (?:{_CAPITAL}|\d{{1,6}}[A-Za-z]?|de|la|van|y)){{0,8}}|(?=[A-Z][\w.'-]{{2}}){_CAPITAL}(?: {_CAPITAL}){{0,3}} \d{{1,5}}(?: ?[a-zA-Z](?!\w))?(?:[/-]\d{{1,4}})?(?:,? (?:{_CAPITAL}|\d{{4,6}})){{0,4}})",
)
_JAPAN = re.compile(
    r"(?<![\w-])\d{1,2}-\d{1,2}-\d{1,2} [A-Z][\w-]{2,20}(?:, ?[A-Z][\w -]{2,20}){1,3}(?: \d{3}-\d{4})?"
)


_PART = rf"(?:{_CAPITAL}|\d[\w./-]{{0,8}}|#[\w-]{{1,10}}|[A-Z]\(\d{{4,6}}\)|de|la|van|der|bis)"
_HOUSE = re.compile(
    rf"(?<![\w.,:/$#-])(?:House|Villa|Block|Blk|Plot|H\.? ?No\.?|Gali|Building) (?:no\.? ?)?\d[\w/-]{{0,8}}(?:,? {_PART}(?: {_PART}){{0,3}}){{1,5}}(?: ?- ?\d{{4,6}})?(?!\w)"
    rf"|(?<![\w.,:/$#-])No\.? ?\d[\w/-]{{0,8}},? (?:{_PART}(?:,? | ?- ?)){{1,9}}\d{{5,6}}(?: [A-Z][a-z]{{2,20}})?(?!\w)"
    r"|(?<![\w-])(?:HC|RR) \d{1,3},? Box \d{1,5}(?!\w)"
    r"|(?<![\w.,:/$#-])\d{1,5} (?:[NSEW]\.? )?[A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20}){0,2},? (?:[Aa]pt|[Uu]nit|[Ss]uite|[Ff]lat|[Ss]te)\.? ?#?\w{1,5}(?!\w)"
    r"|(?<![\w-])(?:[A-Z][a-z]{2,20} ){1,3}\d{1,4} ?(?:bis(?! (?:\d|zum?\b|zur\b))|ter|hs|huis|[IVX]{2,4})(?!\w)"
)
_EUROPE = re.compile(
    r"(?<![\w.,:/$#-])(?:[A-Z][\w.'-]{1,30}|[A-Z]\.)(?: (?:[A-Z][\w.'-]{0,30}|de|la|van|der|den|[a-z]{1,3}\.|[a-z]{2,6})){0,3} \d{1,4}(?:[-/ ]?[A-Za-z0-9]{1,4})?(?: [A-H] \d{1,3}| ?[-/] ?[IVX\d]{1,4})?"
    r"(?:,? (?:kv|kw|ap|m|app|lok)\.? ?\d{1,4})?, (?:\d{4} [A-Z]{2}|\d{3} \d{2}|\d{2}-\d{3}|\d{3,6}|[A-Z][a-z]{2,20}(?= \d{5,6})) ?(?:[A-Z][\w-]{2,24}|\d{5,6})(?!\w)"
)
_VERB = re.compile(
    r"[^\d,]{0,60} (?:is|was|are|be|live|lives?|lived|at|to|on|ist|war|wohnt|wohne|liegt|lautet|es|era|esta|vive|vivo|queda|est|etait|habite|se trouve|e|era|fica|mora|moro) (?=[A-Z])"
)
"""The words of a sentence before a street."""

_WORD_NUMBER = r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}teen)"
_NAMED = re.compile(
    rf"\b(?:(?i:live[sd]? (?:on|in|at)|living on|house on|flat on|parked on|grew up on)|(?i:{_WORD_NUMBER})(?: [A-D])?) ((?:[A-Z][a-z']{{1,20}} ){{1,3}}(?:Street|Road|Lane|Close|Crescent|Drive|Terrace|Avenue|Grove|Way|Hill|Court|Place|Square|Mews|Gardens|St|Rd|Ave|Ln))(?!\w)"
)


_LOWER = re.compile(
    r"\b(?!del|dos|las|los|les|sur|sous|und|der|den|the|and|bei|lgh|apt|app|piso|flat|floor|izq|esc|dpto|puerta|casa|bloco|apto|andar|lote)[a-z]{3,}\b"
)


_OTHER = re.compile(
    r"\b(?:tel|telf?|telefono|telefon|telefone|telephone|tlf|tfno|phone|ph|mobile|mob|cell|cel|celular|handy|movil|portable|landline|call|ring|whats ?app|fax|dob|born|geb|geboren|nacid[oa]|nascid[oa]|account|acct|acc|order|ref|invoice)\b"
)
"""What a number behind an address is, if it is no postcode."""


def _grown(folded: Folded, start: int, end: int) -> tuple[int, int]:
    """With its flat, its postcode, and the town between or behind them; as far as the quotes around it go."""
    end = _with_town(folded, start, end)
    if start and (quote := folded.text[start - 1]) in "'\"":
        at = folded.text.find(quote, start, end)
        while at >= 0 and folded.text[at + 1 : at + 2].isalnum():  # an apostrophe
            at = folded.text.find(quote, at + 1, end)
        end = end if at < 0 else at
    return start, end


def _with_town(folded: Folded, start: int, end: int) -> int:
    tail = _TAIL.match(folded.low, end)
    if tail is not None and (other := _OTHER.search(folded.low, end, tail.end())):
        tail = _TAIL.match(folded.low, end, other.start())
    if tail is not None and tail.end() > end:
        added = folded.low[end : tail.end()]
        sentence = len(added) > 24 and _LOWER.search(folded.text, end, tail.end())
        if not sentence and (re.search(r"\d", added) or _UNITS_ONLY.fullmatch(added)):
            end = tail.end()
        elif (units := _UNITS_ONLY.match(folded.low, end)) is not None:
            end = units.end()
        if re.search(r"(?:\d{4,6}|\d{2}-\d{3}|\d{4} [a-z]{2}|\d{3} \d{2})$", folded.low[:end][-8:]) and (
            town := _ZIP_TOWN.match(folded.text, end)
        ):
            return _stripped(folded.text, start, town.end())
    if town := _TOWN.match(folded.text, end):
        end = town.end()
    return _stripped(folded.text, start, end)


def _stripped(text: str, start: int, end: int) -> int:
    """Where an address ends: not with what parts it from the next words, nor with the quote around it."""
    while end > start and text[end - 1] in " ,-|\n'":
        end -= 1
    return end


_NOBODYS = re.compile(
    r"(?:no\.? ?)?(?:221b baker st(?:reet)?|10 downing st(?:reet)?|1600 pennsylvania ave(?:nue)?|123 main st(?:reet)?,? any ?town|2[12] jump st(?:reet)?"
    r"|10 cloverfield lane|4 privet drive|742 evergreen terrace|12 grimmauld place|1313 mockingbird lane|84 charing cross road|42 wallaby way|31 spooner street|0001 cemetery lane)\b"
)
"""Addresses that everybody knows, and those of examples."""

_DATE_NEXT = re.compile(rf"(?<= \d) {MONTH}\b|(?<= \d\d) {MONTH}\b")
_ERA = re.compile(r"\d{1,4} av\.? j")


def _is_address(folded: Folded, start: int, end: int) -> bool:
    """Say whether what has a street's form is one: the number is no day of a month, nor a year."""
    low = folded.low
    return not (_DATE_NEXT.match(low, end) or _NOBODYS.match(low, start) or _ERA.match(low, start))


def _is_street(folded: Folded, match: re.Match[str]) -> bool:
    """Words before "road" are a name, and not the rest of a sentence."""
    words = re.sub(
        r"^[^a-z]*(?:(?:flat|apt|unit|suite|no|nr|house|plot|number)\b[^a-z]*[a-z]?\d*[a-z]?,? ?\d*[a-z]?)?",
        "",
        _FLOOR.sub("", match[0]),
    )
    words = re.sub(r"^[a-z]\b|^and \d+[a-z]?\b|^st\.? (?=[a-z'.-]+ )", "", words.lstrip())
    if _NO_STREET.search(words.rsplit(" ", 1)[0]):
        return False
    if match["strong"]:
        return True
    at = match.start("short")
    capital = folded.text[at].isupper() and folded.text[at - 2 : at - 1] != "."
    name = folded.text[match.start() : at].rstrip().rsplit(" ", 1)[-1]
    return (capital and name[:1].isupper()) or (
        match["short"] in {"st", "ct", "pl", "dr"} and name[:1].isupper()
    )


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    low, text, signs = folded.low, folded.text, ends.signs
    if signs & _STREETS:
        for match in around(_NAMED, text, ends, 60, 60):
            spelt = re.match(_WORD_NUMBER, low[match.start() : match.end()])
            yield Hit("ADDRESS", match.start() if spelt else match.start(1), match.end(1), 0.6)
    near = [end for end in ends if _DIGIT.search(low, max(0, end - 80), end + 40)]
    if not near:
        return
    if signs & _STREETS:
        for match in around(_EN, low, near, 90, 8):
            if _is_street(folded, match) and _is_address(folded, *match.span()):
                yield Hit("ADDRESS", *_grown(folded, *match.span()), 0.8)
    for pattern, by, words in _BY_WORD:
        if not (signs & by or any(word in low for word in words)):
            continue
        for match in around(pattern, low, near, 40, 110):
            if pattern is _PREFIX_FIRST and not _capital(text, match):
                continue
            if not _is_address(folded, *match.span()):
                continue
            yield Hit("ADDRESS", *_grown(folded, *match.span()), 0.75)
    for pattern in (GERMANIC, _JAPAN) if signs & _BLOCKS else (GERMANIC,):
        for match in around(pattern, text, near, 80, 60):
            if pattern is GERMANIC and not (
                is_germanic(folded, match) and _is_address(folded, *match.span())
            ):
                continue
            yield Hit("ADDRESS", *_grown(folded, *match.span()), 0.75)
    for match in around(_HOUSE, text, near, 50, 110):
        yield Hit("ADDRESS", *_grown(folded, *match.span()), 0.7)
    for match in around(_SAID, text, near, 40, 150) if any(word in low for word in _SAYING) else ():
        yield Hit("ADDRESS", *_grown(folded, *match.span(1)), 0.7)


_SHOUTED = re.compile(r"TV |c\.[A-Z]\w* [A-Z]{3}|via [A-Z]{2}")  # what abbreviates no street


def _capital(text: str, match: re.Match[str]) -> bool:
    """A street has a name, and names have capitals; a text all in lower case has none, and says "calle" or "rua" in full."""
    found = text[match.start() : match.end()]
    if _SHOUTED.match(found):
        return False
    found = match[0]
    kind = found.split(" ", 1)[0].rstrip(".")
    if kind in {
        "calle",
        "avenida",
        "rua",
        "rue",
        "carrer",
        "c/",
        "via",
        "ul",
        "plaza",
        "paseo",
        "impasse",
        "chemin",
        "boulevard",
        "travessa",
        "piazza",
    }:
        return (
            kind not in {"via", "plaza", "rue"}
            or re.search(r"[A-Z]", text[match.start() + len(kind) : match.end()]) is not None
            or kind == "rue"
        )
    return re.search(r"[A-Z]", text[match.start() + len(kind) : match.end()]) is not None


def _find_codes(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_POSTCODE, folded.text, ends, 12, 2):
        yield Hit("ADDRESS", match.start(), match.end(), 0.6)
    for pattern in (_UK_WHOLE, _US_WHOLE, _EUROPE):
        for match in around(pattern, folded.text, ends, 90, 6):
            if pattern is _EUROPE and (verb := _VERB.match(match[0])):
                yield Hit("ADDRESS", match.start() + verb.end(), match.end(), 0.65)
                continue
            numbered = _NUMBERED.match(match[0]) if pattern is _US_WHOLE else None
            in_a_row = numbered and _LINE_BEFORE.search(
                folded.text, max(0, match.start() - 120), match.start()
            )
            start = numbered.end(1) if numbered and in_a_row else 0
            yield Hit("ADDRESS", match.start() + start, match.end(), 0.65)
    for match in around(_ZIP_SAID, folded.low, ends, 20, 60):
        yield Hit("ADDRESS", match.start(1), match.end(1), 0.7)
    for match in around(_UK_ASKED, folded.low, ends, 20, 130):
        yield Hit("ADDRESS", match.start(1), match.end(1), 0.7)
    for match in _LINE.finditer(folded.text):
        yield Hit("ADDRESS", match.start(), match.end(), 0.6)


_DIGIT = re.compile(r"\d")
# Which of the signs below a pattern can't do without: streets of English, words that open a street, blocks of Japan.
_STREETS, _OPENING, _BLOCKS = 1 << 0, 1 << 1, 1 << 8
_BOXES = "bl|torre|flat|apt|box|bag|postfach|apartado|apdo|caixa|casilla|postbus|boite|b.p."
_BY_WORD = (  # pattern, signs and words; one of them stands in all that it finds
    (_PREFIX_FIRST, _OPENING, ()),
    (_NUMBER_FIRST, _STREETS | _OPENING | 1 << 2, (" boul", " ch", " fbg")),
    (_BOX, 1 << 5, tuple(_BOXES.split("|"))),
    (_EN_ORDINAL, -1, ()),
)
_OPENERS = (  # what _SAID begins with
    "liv|re at|address|addr|be at|r/o|ship|moved|flat is|send|adresse|direccion|endereco|anschrift|deliver|resid"
    "|registered|i'm|im |place|house|vivo|moro|habite|wohn|domicil|parked|pick|street|strasse|rue|calle|rua"
)
_SAYING = tuple(_OPENERS.split("|"))
_WORDS = (
    rf"\b(?:{_STRONG[3:-1]}|{_SHORT[3:-1]})\b",
    rf"\b(?:{_ROMANCE[3:-1]})",
    r"\b(?:rte|lotissement|residence|villa|cite|heol|ffordd|stryd|rhes|jalan|jln|lorong|flat|apt|bl|bloco|bloque|blk|torre)\b",
    r"(?:strasse|strase|str\.|str|weg|gasse|gasslein|gassl|platz|allee|ring|damm|ufer|steig|stieg|pfad|markt|graben|zeile|promenade|anger|rain|bogen|wall|kamp|koppel|straat|laan|plein|gracht|kade|dreef|singel|hof|dijk|gata|gatan|gate|gade|vej|vagen|veien|veg|katu|tie|kuja|gotu|stigur|gatu|allen|torget|plads|meile|haven) ?\d",
    r"\b(?:am|an der|an den|auf der|auf dem|im|in der|in den|zum|zur|unter den|hinter der|vor dem|bei der|lange|alte|neue|kleine|grosse) [a-z][a-z -]{2,60}\d",
    r"\b(?:p\.? ?o\.? ?box|gpo box|private bag|locked bag|postfach|apartado|apdo|caixa postal|casilla|postbus|boite postale|b\.p)\b",
    r"\b(?:i live (?:at|in)|lives? at|living at|we'?re at|we are at|address|addr|adresse|direccion|endereco|anschrift|ship(?:ped)? to|deliver(?:y|ed)? to|send it to|residing at|resident at|registered at|moved to|i'?m at|my place is|house nr|vivo en|moro n[ao]|habite au|wohne (?:in der|am)|wohnhaft|domicili\w{1,3}|residente|parked (?:at|on)|pick ?up at|lived? on|living on|house|villa|block|blk|plot|gali|h\.? ?no|no\.? ?\d{1,4}/?\w{0,3},|(?:hc|rr) \d{1,3},? box|apt|unit|suite|flat|r/o|send (?:post|mail|it) to|ship from|moved from)\b",
    r"\d ?(?:bis|ter|hs|huis|[ivx]{2,4})\b",
    r"\d-\d{1,2}-\d{1,2} [a-z]",
)
RECOGNIZERS = (
    Recognizer("addresses", _WORDS, _find, every=True),
    Recognizer(
        "postcodes",
        (
            r"\b[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}\b|\b[a-z]\d[a-z] \d[a-z]\d\b",
            r"\b(?:zip|post ?codes?|zipcode|postal ?code|postal_code|plz|postleitzahl|cp|c\.p|codigo postal|code postal|cep|eircode|pin ?code)\b",
            r"^(?:[a-z]{1,2}-)?\d{5} [a-z]{3}",
            r"\b[a-z]{2},? \d{5}\b",
            r"\d[ /-]?\w{0,4}(?: [a-h] \d{1,3})?, (?:\d{3,6} |\d{2}-\d{3} )[a-z]{2}|, [a-z]{3,20} \d{5,6}\b",
        ),
        _find_codes,
        every=True,
    ),
)
