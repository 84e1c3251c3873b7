"""Values that are read by the words around them: ids, accounts, licences, plates, in five languages and more.

Each kind has its words and the form of its values. The word comes first ("passport no. is X", "plate: X", "passport?" and X on
the next line), or behind ("X is my plate"). Between the two stand no digits and no end of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.wares import is_of_the_world

# A token with a digit, then tokens with digits joined by one mark or space; a lone letter may end it.
_ID = (
    r"(?<![\w.])(?<!\w')(?:(?:[a-z]{1,5}[-/.]){1,2}|[a-z]{1,7}[-/.#]{0,1} ?)?(?=[a-z]{0,6}\d)[a-z0-9]{1,24}(?:(?:[-/.]| ?[-/] ?| )(?=[a-z]{0,3}\d)[a-z0-9]{1,14}){0,6}"
    r"(?:[-/ ]?[a-z]{1,4}(?![\w'=:]))?(?:\(\d\))?(?!\w|[.,:]\d|%)"
)
_GAP = r"(?P<mid>[^\d\n;!]{0,44}?(?:\n[^\d\n;!]{0,24}?|(?<=\?)\n[^\d\n;!]{0,60}?)?)"
_NOT_BETWEEN = re.compile(
    r"\b(?:order|ticket|tracking|invoice|parcel|version|error|tel|phone|call|ring|text|street|age|aged|years?|since|until|till|valid|expire[sd]?|born|dob|manager|holder|price|costs?|worth|debited|paid|refund|page|kb|seit|bis|desde|hasta|depuis|caduca|lauft|ablauf|row|step|question|points?|under|over|about|last|next|per|of the \w+ of)\W{0,3}$|\b(?:for|on|at|in|from)[^\w:=]{0,3}$"
    r"|\b(?:order|ticket no|tracking|invoice|version|error|phone|tel|mobile|cell|dob|geburtsdatum|price|flight|vuelo|vol|iban|room|calibre|hearing|expiry|booking|fee|cuestan?|custam?|coutent|coute|kostet|kosten|limite|turnout)\b"
)
_OTHERS = re.compile(
    r"(?:\b(?:exp|expiry|vol|flight|ext|extension|born|doj|doi|issued|due|bp|hr|bin|rxbin|pcn|item|uan|claim|ref|reference|deductible|batch|lot|job|box|bag|seat|mot|insurer|serial|receipt|expediente|tax|gross|net|fee|total|amount|merged?|commit|rfc|port|rev|revision|sha1?|bug|issue|pr)|[$])[ :.#]{1,3}$|[$]$|(?<=group) by\b|(?<=run) ids?\b"
)
"""The word right before a value that says it is another thing than what the cue asks for."""

_ELSE = re.compile(
    r"\b(?:order|ticket|tracking|invoice|phone|tel|mobile|cell|flight|room|booking|vuelo|pedido|factura|flug|bestellung|rechnung|vol|commande"
    r"|facture|voo|encomenda|fatura|auftrag|vorgang|ordine|fattura|bestelling)\b"
)
"""The same anywhere between a value and a second one."""

_HANDPHONE = re.compile(r"\b(?:hp|hand ?phone|mob|ph|whats ?app|wa)(?: (?:no|nr|number))?[ :.#]{1,3}$")
"""The same for all but plates, which begin like that in Himachal Pradesh."""

_NO_CUES = {
    "NATIONAL_ID": re.compile(
        r"\b(?:message|order|run|container|job|meter|trace|span|request|session|transaction|build|process|thread|device|track|tracking|commit|event|post|video|image|product|item|booking|ticket|chat|group|team|channel|server|app|bundle|cell|task|tenant|object|correlation|lead|campaign|ad|tag|node|cluster|row|asset|instance|region|model|sku|listing|reservation|auth|match|game|lobby|quest|mod|replay|party|raid|dungeon|round|workshop)[ _-]ids?\W?$|\bcouncil tax\W?$"
    ),
    "LICENSE_PLATE": re.compile(
        r"\b(?:rating|side|steel|base|metal|glass|hot|pressure|skid|dinner|back|armou?r|copper|cover|switch|wall|brass|alumin\w+|bone|titanium|build|growth|kick|face|top|bottom|name|end|dental|data)[ -]plates?\W?$"
    ),
}
"""Words of a cue that with the word before them are none: a rating plate, the id of a message."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: the words that announce it, its form, and a last look at what was found."""

    entity: str
    words: str
    value: str
    fits: Callable[[str], bool]
    score: float = 0.85

    def forward(self) -> str:
        """The words, then the value."""
        return rf"{_GAP}(?P<value>{self.value})"

    def backward(self) -> str:
        """The value, then the words."""
        return (
            rf"(?P<value>{self.value})[\"')]{{0,2}},? (?:is|was|'s|are|es|era|ist|war|est|e|era o|is still|would be|=)"
            rf" (?:\w{{1,8}} ){{0,3}}(?:{self.words})(?!\w)"
        )


def _counts(value: str) -> tuple[int, int]:
    return sum(map(str.isdigit, value)), sum(map(str.isalpha, value))


def _is_id(least: int, most: int = 24, *, letters: int = 10) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        digits, alphas = _counts(value)
        return (
            least <= digits
            and digits + alphas <= most
            and alphas <= letters
            and not _DATE.fullmatch(value)
            and not _AMOUNT.fullmatch(value)
        )

    return fits


_DATE = re.compile(
    r"\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)?\d\d|\d{1,2}([./])\d{1,2}\1(?:19|20)?\d\d [a-z]{1,4}|(?:0[1-9]|1[0-2])(?:/\d\d|[-./]20\d\d)|(?:19|20)\d\d(?:[-./]\d{1,2}[-./]\d{1,2})?|(?:19|20)\d\d ?[-/] ?(?:19|20)?\d\d|(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec|till|until|in|on|of|at|to|for|from|since|by)[ -]?(?:19|20)?\d\d(?:\d\d)?"
)
_AMOUNT = re.compile(
    r"\d{1,3}(?:[.,]?\d{3}){0,3}[.,]\d\d|\d{1,3}[.,]\d{3}|20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d|\d{3,4}[lmnt](?: [mw]1)?|\d{1,4}(?: ?[x*] ?\d{1,4}){1,3}(?: ?[cm]?m)?"
)
"""Money, a time down to the second, a British tax code, which thousands share, or length by width by height."""

_PLATE_WORD = re.compile(
    r"(?:the|and|for|from|was|are|not|his|her|one|two|car|is|it|in|on|at|to|of|or|a|my|by|no|i|km|am|pm|eur|usd|gbp|days?|kg|min|hrs?|years?|row|page|lot|zone|level|room|bay|gate|version|v)$"
)


_NOT_PLATE = re.compile(
    r"^[a-z]{4,} (?:en|el|de|del|do|da|em|ate|le) |^(?:en|de|del|do|da|em) [a-z]{4,} (?:19|20)\d\d|^(?:19|20)\d\d [a-z]+$|^[a-z]{1,2} (?:19|20)\d\d$| (?:in|on|at|for|the) |^\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^\d{1,3}x |^\d{1,4}x\d{1,4}x"
    r"|^\d{1,5}(?:[.,]\d{1,3})?k? ?(?:v|hz|w|kw|mm|cm|m|kg|g|km|x|cc|hp|ps|bhp|words?|nights?|miles|days?|weeks?|months?|years?|times|people|litres?|eur|usd|gbp)(?: |$)"
    r"|^\d{1,5} a (?:day|week|month|year|night)|^(?:bag|box|mot|seat|row|lane|bay|code|lot|til|exp|ref|page|built|rebuilt|since|circa) |^[a-z]{4,} (?:1[5-9]|20)\d\d$"
)


def _is_plate(value: str) -> bool:
    digits, alphas = _counts(value)
    if not 1 <= digits <= 8 or not 4 <= digits + alphas <= 11 or _DATE.fullmatch(value):
        return False
    if _NOT_PLATE.search(value):
        return False
    if any(map(_PLATE_WORD.match, re.split(r"[-/. ]", value))) and not value[0].isdigit():
        return False
    return alphas > 0 or (digits >= 4 and not re.fullmatch(r"(?:1[5-9]|20)\d\d", value))


def _is_account(value: str) -> bool:
    digits, alphas = _counts(value)
    dated = _DATE.fullmatch(value) and not re.fullmatch(r"(\d\d)[- ]\d\d[- ]\d\d", value)  # a sort code
    return 6 <= digits <= 24 and alphas <= 6 and not dated


def _is_chart(value: str) -> bool:
    return _is_id(4, 24)(value) and not _MINUTE.fullmatch(value)


_MINUTE = re.compile(r"20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")


def _is_passport(value: str) -> bool:
    return _is_id(4, 12, letters=6)(value) and not _NO_PASSPORT.fullmatch(value)


_NO_PASSPORT = re.compile(
    r"(?:[a-z][a-z0-9] ?\d{3,4}|(?:pp?\.? ?)?\d{1,4} ?[-\u2013] ?\d{1,4}|(?:[01]\d|2[0-3])(?:00|15|30|45))(?![\w-])"
)
"""A flight, a time of the day, or pages, which stand beside passports more often than such short ones do."""


def _is_ssn(value: str) -> bool:
    return _counts(value)[0] in {4, 9} and value.strip("0-. ") != ""


_PLATE = r"(?<![\w.])(?<!\w')(?=[a-z0-9 .-]{0,9}\d)(?!(?:is|are|was|were|it|its|the|my|his|her|on|in|of|at|for|no|not|number|nr|and|to|an|says|said|ends|with|from|that|this|que|es|ist|est|era|war|la|el|le|partly|seen|reads|en|um|was|got|has|had|but|though|vehicle|would|still)\b)(?:[a-z]{1,5}(?:[- .]|(?=\d)))?[a-z0-9]{1,7}(?:[-. ](?=[a-z0-9]{0,6}(?:\d|\b))[a-z0-9]{1,6}){0,4}(?!\w|[.,:]\d|%)"

KINDS = (
    Kind("US_SSN", r"ssn|ss|ss number|sss|itin|social(?:'s)?(?: sec(?:urity)?)?(?: (?:number|no\.?|num|nr|card))?|soc(?: sec)?|last (?:four|4)(?: digits)? of (?:my|your|the|his|her) (?:social(?: security)?(?: number)?|ssn)",
         r"(?<![\w.-])(?:\d{3}[-. ]?\d{2}[-. ]?\d{4}|(?:\d ){3}(?:- )?(?:\d ){2}(?:- )?(?:\d ){3}\d|(?:x{3}|\*{3})-(?:xx|\*\*)-\d{4}|(?<=ends in )\d{4}|(?<=ending in )\d{4}|(?<=ends with )\d{4}|(?<=social\?\n)\d{4}|(?<=social\n)\d{4}|(?<=social )\d{4}|(?<=ssn )\d{4}|(?<=is )\d{4}|(?<=: )\d{4}|(?<=social\? )\d{4}|(?<=ends in )\d{4}|(?<=\n)\d{4})(?![\w-]|\.\d)", _is_ssn, 0.9),
    Kind("PASSPORT", r"pass?ports?|passaporte|pasaporte|passeports?|reisepass\w{0,8}|kinderausweis|kinderreisepass|paspoort\w{0,8}|passnummer|passaporto|paszport\w{0,3}|pasaport|travel document|esta (?:no|number|id|form|application)|(?:my|an|us|her|his) esta|paspor|passprt|passort|book number|laissez[ -]passer|(?:old|new|green) book|doc(?:ument)?[ _]no|pp", _ID, _is_passport),
    Kind("DRIVER_LICENSE", r"driv(?:er|ers|er's|ers'|ing)'?s? (?:licen[cs]e|lic|permit)|licen[cs]e|lic|dl|cdl|carne de conducir|permiso de conducir|licencia(?: de conduc\w{2,4})?|fuhrerschein\w{0,8}|fuhrerausweis|permis(?: de conduire)?|cnh|carta(?: de conducao)?|habilitacao|provisional|rijbewijs\w{0,7}|patente(?: di guida)?|prawo jazdy|korkort\w{0,8}|registro de conducir|perm(?:is)? de conduire|lesen|learner'?s? permit(?: (?:number|no))?|permit (?:number|no)|driver(?:'?s)? (?:number|no)|dln|d\.l\.?|fahrerlaubnis|forerkort(?:et)?|surucu belgesi|vozacka|ridicsky prukaz|lernfahrausweis|intl permit|international permit|idp",
         _ID, _is_id(5, 18)),
    Kind("MEDICAL_ID", r"mrn|medical (?:record|card|id)|(?:patient|hospital|hosp|chart|member(?:ship)?|subscriber|beneficiary|health ?card|health plan|insurance|ins|prescription|script|rx|nhs|scheme|group|record|chi|nhi|medicaid|ihi|hmo|hn|urn|emr|ehr|uhid|opd)(?:[ _](?:id|no|nr|number|card|record|exemption certificate))*|medicare"
         r"|(?:kranken)?versicher(?:ungs|ten)-?(?:nummer|nr)|krankenkasse\w{0,7}|gesundheitskarte|versichertenkarte|kvnr|fall-?(?:nr|nummer)|patienten-?(?:nr|nummer|id)|nhc|historia clinica|tarjeta sanitaria|cip|carnet del seguro|folio|nss|afiliacion|ipp|ramq|mutuelle|dossier(?: patient)?|carte vitale|prontuario|cartao (?:nacional de saude|sus|do sus)|cns|sns|utente|seguro de saude|plano de saude|carteirinha|processo|cartao|zorgverzekering|polis(?:nummer)?|supplement|patient(?:en)?-?(?:nummer|nr)|mutual card|medical aid|mediclaim|nhis|folder|file(?: no| number)?|policy|member#|health id|health no|health fund|kv-?(?:nummer|nr)|vers\.?-?nr|umr|ip no|nhif|mcp|donor(?: card| id| no)?|accession(?: no)?|(?:specimen|sample|lab)[ _](?:id|no|number|ref)|(?:vaccin\w{1,6}|immuni[sz]ation) (?:card|certificate|record|passport|id)|clinic no|ehic|ghic|poliza|patientid|insured|emp health id",
         _ID, _is_chart),
    Kind("BANK_ACCOUNT", r"account|accounts|acct|accnt|acc|a/c|accno|konto(?:-?(?:nummer|nr))?|kontonr|cuenta(?: (?:de ahorros|corriente|bancaria))?|clabe|cbu|cvu|conta(?: (?:corrente|poupanca))?|compte|rib|iban|routing|aba|rtn|sort[ -]?codes?|bsb|blz|bankleitzahl|transit|ifsc|agencia|ag|rekening(?:nummer)?|giro|plusgiro|bankgiro|savings|checking|swift|nib|kontonummer|rtg|institution|bank|pension|a/c|building soc(?:iety)?|payid",
         r"(?<![\w.])\d{1,26}(?:(?: ?[-/.] ?| )[\dxX]{1,12}){0,6}(?:-[a-z]\d)?(?!\w|[,.:]\d|%)|(?<![\w.])[a-z]{4}0[a-z0-9]{6}(?!\w)", _is_account, 0.8),
    Kind("NATIONAL_ID", r"(?:national|personal|tax(?:payer)?|citizen(?: service)?|emirates|voter|identity|government|residence|alien|foreigner|birth|resident|citizenship|file)[ _](?:id|insurance|identification|identity|card|registration)?[ _]?(?:number|no|nr|code|card)?|id(?:[ _-](?:card|no|nr|number|document|num))?|ni(?: (?:number|no))?|nino|nhs(?: (?:number|no))?|chi|a-number|y-card|green card"
         r"|aadhaa?r|adhar|pan(?: (?:card|number|no))?|dni|nie|nif|cif|cpf|cnpj|rg|curp|rfc|rut|run|cuil|cuit|cedula|ced|c\.?i|dui|dpi|nit|nir|secu(?: sociale)?|securite sociale|seguridad social|nas|sin|ssin|ahv(?:-?(?:nr|nummer))?|avs|svnr|sv-?nummer|sozialversicherungs\w{0,8}|rentenversicherungs\w{0,8}|rvnr|steuer-?id\w{0,14}|steuer-?(?:nummer|nr)|steuerliche id\w{0,18}|tin|idnr|(?:personal)?ausweis(?:-?(?:nummer|nr))?|perso"
         r"|ghana card|iqama|cccd|cnic|omang|trn|amka|eid|iddoc|revenue pin|kra pin|f\.?nr|c\.f|rodne cislo|coordination (?:no|number)|rrn|fodselsnr|kennital\w{1,3}|tax id|sss|umid|philhealth|epic no|ration card|national insurance|pesel|bsn|burgerservicenummer|tfn|person(?:nummer|nr)|personal (?:number|code)|kennitala|fodselsnummer|cpr|hkid|nric|fin|ic|mykad|jmbg|oib|egn|cnp|iin|bvn|nin|kimlik(?: no)?|tckn|tc|codice(?: fiscale)?|cf|ird(?: number)?|taj|adoazonosito|registre national|registre_national|registro|rijksregister\w{0,7}|cni|cin|recepisse|numero etranger|titre de sejour|contribuinte|niss|bi|cc|cartao de cidadao|titulo de eleitor|pis|nis|utr|ein|ppsn?|emso|isikukood|henkilotunnus|hetu|national number|documento|document(?: number| no)?|nuss|carte d'identite|carta d'identita|carteira de identidade|carnet|nid|idnp|uci|nrc|nic|personas kods|uscis#?|rv-?nr|cui|n.? ?alloc\w{0,7}|mei|matricule|upn|uln|unique (?:pupil|learner) (?:number|no)|(?:student|pupil|learner|matriculation|enrol?l?ment) (?:number|no|nr)|matrikel-?(?:nummer|nr)",
         _ID, _is_id(5, 22)),
    Kind("LICENSE_PLATE", r"(?:licen[cs]e |number |num |taxi |reg |car )?plates?(?:'s)?(?: (?:number|no|is|was))?|numberplate|registration(?: (?:number|no|mark|plate))?|reg(?:o|'s)?(?: (?:number|no|plate))?|rego's|vrm|(?:teil|kfz-?)?kennzeich\w{1,3}|kennz|nummernschild|nummer ?schild|matricul(?:a|as)|placas?|patente|chapa|plaque(?: d'immatriculation)?|immatricul\w{1,8}|targa|kenteken|tablic\w{1,4}|vehicle (?:no|number|reg)|tag number|fastag|plakam?|vehicle|rendszam\w{0,2}|spz|registered as|reg\.? mark",
         _PLATE, _is_plate),
)  # fmt: skip
_LEADING = re.compile(r"(?!dl \d\d ?\d{11})([a-z]{1,7})[-/.#]{0,1} (?=\S*\d)")
_FILLER = re.compile(
    r"(?:like|old|new|one|was|is|now|also|are|then|still|his|hers|mine|alt|neu|war|era|antes|nueva|geb|geboren|born|nee)[.:]? (?=.*\d)"
)
_JOINED = re.compile(  # what goes on behind a plate, whose parts may be words of few letters
    r" (?:and|but|or|und|aber|oder|y|pero|et|mais|e|mas|is|was|has|ist|war|est) "
)
_LED = re.compile(r"([a-z]{1,3} )(?=[0-9 -]*[A-Z])(?=[A-Z -]*[0-9])[A-Z0-9 -]+$")
_LED_TO = {"LICENSE_PLATE", "PASSPORT"}
"""What is in capitals, and a word of the sentence before it may seem a part of it."""

_BRITISH = re.compile(
    r"[a-z]{2}\d\d (?!(?:and|but|the|for|was|are|has|had|not|who|you|she|his|her|can|car|lol|pls)$)[a-hj-pr-z]{3}"
)
_TRAILING = re.compile(r"[-/ ]([a-z]{1,6})$")
_CLOSING = re.compile(r"\d[-/ ][a-z]{1,4}$")  # which may belong to an id that begins with letters
_WORD = re.compile(r"[A-Z][a-z]{2,3}")  # Ohio
_NAMES = re.compile(
    r"(?:tfn|nhs|ssn|sin|dni|nie|nif|cpf|rg|nino|pan|ppsn?|bsn|kt|id|no|nr|num|mrn|chi|ihi|nhi|hn|abn|nit|rut|run|cnic|cin|pesel|ahv|avs|jmbg|oib|cnp|egn|hkid|nric|curp|rfc|cuil|cuit|dui|mbi|kvnr|svnr|iban|acct|acc|uid|dl|cdl|dln|lic)$"
)
"""What an id is called, in short: it stands before the id and is no part of it."""

_OPENERS = re.compile(
    r"(?:is|em|en|has|hat|tem|sao|são|son|sind|sont|no|nr|number|num|id|in|on|at|of|to|as|es|ist|est|e|and|or|my|the|her|his|it|its|was|for|from|by|el|la|le|nao|não|ends|ending|card|since|with|y|et|und|nº|numb|du|de|da|do|was|until|till|valid|um|am|ab|seit|bis|like|only|about)$"
)
_MORE = re.compile(
    r"[\s,;/&()\"'-]{1,4}(?:(?:and|und|y|et|e|or|oder|mine|his|hers|her|my|the|new|old|one|is|was|then|now|before|after|from|\w{1,12}'?s?(?= is |:| \()|\w{1,10}'?s(?= \w?\d))[\s(,:\"'-]{1,3}){0,6}"
)


_DIGIT = re.compile(r"\d")
_OWNED = re.compile(r"\b(?:is|was|'s|are|es|era|ist|war|est|e) (?:\w{1,8} ){0,3}[^\d\n]*$")


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{24,}(?![\w-])")


_MEASURED = re.compile(r"\d{1,5} ?[x*\u00d7] ?\d")
"""Length by width."""

_COUNTED = re.compile(
    r"(?:[a-z]{2,7} )?\d{1,3}(?:[.,]?\d{3})? ?(?:euros?|reais|dolares|dollars?|pesos|pounds|rupees|palabras|words|mots|worter|palavras|lines|lineas|linhas|members|miembros|membros|mitglieder|people|persons?|personas|pessoas|personnes|personen|employees|empleados|pages?|paginas|seiten|[kmg]b|photos|fotos|watts|kunden|customers|clientes|clients|students|votes)\b"
)
"""How many there are of something, or how much: no id."""

_IN_A_ROW = re.compile(r"(?:[?&;]|[=:] ?\S{1,40} )id=$")  # of a query's parts, or of a log's
_NEAR, _ANSWER = 66, 110  # how far from the word a value begins, in its line and in the answer to a question


def _is_other(kind: Kind, low: str, start: int, end: int) -> bool:
    """Say whether the words before a value say that it is another thing."""
    return bool(
        _OTHERS.search(low, start, end)
        or (kind.entity != "LICENSE_PLATE" and _HANDPHONE.search(low, start, end))
    )


_WIDEST = 400  # letters of a row


def _is_of_another_column(low: str, cue_end: int, start: int) -> bool:
    """Say whether a value is the first of a row, and its cue not the first of the row above."""
    row = low.rfind("\n", cue_end, start) + 1
    if not row or low[row:start].strip(" |"):
        return False
    head = max(low.rfind("\n", max(0, cue_end - _WIDEST), cue_end) + 1, cue_end - _WIDEST, 0)
    return "|" in low[head:cue_end].lstrip(" |")


def _is_no_value(kind: Kind, folded: Folded, match: re.Match[str]) -> bool:
    """Say whether a value is the id of a record, or the size of something."""
    low, start = folded.low, match.start("value")
    in_a_row = kind.entity == "NATIONAL_ID" and _IN_A_ROW.search(low, max(0, start - 48), start)
    is_counted = in_a_row and _counts(match["value"])[0] <= 6  # digits
    is_measured = kind.entity != "LICENSE_PLATE" and _MEASURED.match(folded.text, start)
    return bool(is_counted or is_measured or _UUID.match(low, start) or _COUNTED.match(low, start))


def _first(kind: Kind, forward: re.Pattern[str], folded: Folded, end: int) -> tuple[int, int] | None:
    """The first value after a word that fits: what only looks like one is stepped over."""
    at = end
    for _ in range(5):
        match = forward.match(folded.low, at)
        if match is None or match.start("value") - end > (_ANSWER if "?\n" in match["mid"] else _NEAR):
            return None
        digit = _DIGIT.search(folded.low, match.start("value"))
        if (
            digit is None
            or _NOT_BETWEEN.search(folded.low, end, digit.start())
            or _is_other(kind, folded.low, end, digit.start())
        ):
            return None
        if _is_no_value(kind, folded, match):
            return None
        if folded.low[end - 3 : end] == "rfc" and match["value"][0].isdigit():
            return None  # a taxpayer's begins with letters, a document of the internet has a number
        place = None
        if "|" not in match["mid"] or not _is_of_another_column(folded.low, end, match.start("value")):
            place = _fitting(kind, folded, match.start("value"), match.end("value"))
        if place is not None:
            return place
        at = match.start("value")
        flight = kind.entity == "PASSPORT" and _NO_PASSPORT.match(folded.low, at)
        at = flight.end() if flight else _past_word(folded.low, at)
    return None


_DAY = re.compile(r"\d{1,2}([./])\d{1,2}\1(?:19|20)?\d\d(?!\w)")


def _past_word(low: str, at: int) -> int:
    """Behind a word, or behind a whole date: what is left of one would pass for an id."""
    if day := _DAY.match(low, at):
        return day.end() + 1
    while at < len(low) and low[at].isalnum():
        at += 1
    return at + 1


def _reader(kind: Kind) -> Callable[[Folded, Ends], Iterator[Hit]]:
    forward, backward, value_form = (
        re.compile(kind.forward()),
        re.compile(kind.backward()),
        re.compile(kind.value),
    )

    no_cue = _NO_CUES.get(kind.entity)

    def find(folded: Folded, ends: Ends) -> Iterator[Hit]:
        low, done = folded.low, -1
        for end in sorted(set(ends)):
            if end < done:
                continue
            if _OWNED.search(low, max(0, end - 40), end) and _DIGIT.search(low, max(0, end - 60), end):
                for said in backward.finditer(low, max(0, end - 70), end):
                    if place := _fitting(kind, folded, said.start("value"), said.end("value")):
                        yield Hit(kind.entity, *place, kind.score)
            if _DIGIT.search(low, end, end + _ANSWER) is None or (
                no_cue and no_cue.search(low, max(0, end - 40), end)
            ):
                continue
            if kind.entity == "MEDICAL_ID" and is_of_the_world(low, end):
                continue
            place = _first(kind, forward, folded, end)
            while place is not None:
                yield Hit(kind.entity, *place, kind.score)
                done = place[1]
                joint = _MORE.match(low, done)
                more = joint and value_form.match(low, joint.end())
                digit = more and _DIGIT.search(low, more.start())
                if more is None or (digit and _is_other(kind, low, done, digit.start())):
                    break
                place = _fitting(kind, folded, *more.span(), least=place)
                if place and (_ELSE.search(low, done, place[0]) or _is_other(kind, low, done, place[0])):
                    break
            if done > end:
                yield from _again(kind, folded, done)

    return find


def _again(kind: Kind, folded: Folded, end: int) -> Iterator[Hit]:
    """Values of the very same form soon after one: the old number beside the new one, a second line of a table."""
    low = folded.low
    start = end
    while start > max(0, end - 30) and low[start - 1] not in "\n:=?\"'|(,;":
        start -= 1
    value = low[start:end].split(" ")
    form = ""
    for at in range(
        len(value) - 1, -1, -1
    ):  # from the last word with digits back over those that belong to it
        if not _DIGIT.search(value[at]) and (
            at < len(value) - 2 or len(value[at]) > 4 or _OPENERS.match(value[at])
        ):
            break
        form = " ".join(value[at:])
        if len(value) - at == 3:
            break
    digits, alphas = _counts(form)
    if digits + alphas < 6 or (not alphas and digits < 8) or digits < 3 or _DATE.fullmatch(form):
        return
    shape = "".join(
        "[0-9]"
        if one.isdigit()
        else "[A-Z]"
        if one.isalpha() and folded.text[end - len(form) + at].isupper()
        else "[a-z]"
        if one.isalpha()
        else re.escape(one)
        for at, one in enumerate(form)
    )
    for match in re.compile(rf"(?<![\w.,-]){shape}(?![\w-]|[.,]\d)").finditer(folded.text, end, end + 160):
        if not _NOT_BETWEEN.search(low, max(0, match.start() - 16), match.start()):
            yield Hit(kind.entity, *match.span(), 0.6)


def _has_capital(text: str, start: int, end: int) -> bool:
    return any(map(str.isupper, text[start:end]))


_AMONG = 500  # characters


def _shouted(folded: Folded, start: int, end: int) -> bool:
    """It stands in capitals among words that do not."""
    return (
        folded.text[start:end].isupper() and not folded.text[max(0, start - _AMONG) : end + _AMONG].isupper()
    )


def _opens(kind: Kind, folded: Folded, start: int, end: int, word: str) -> bool:
    """Say whether the word that a value seems to begin with is one of the sentence."""
    as_written = folded.text[start : start + len(word)]
    return bool(
        (_OPENERS.match(word) and not _shouted(folded, start, start + len(word)))
        or (as_written.islower() and (len(word) > 3 or folded.text[end - 1].isupper()))
        or (kind.entity != "LICENSE_PLATE" and _NAMES.match(word))
        or (len(word) > 3 and _DATE.fullmatch(folded.low[start + len(word) + 1 : end]))
    )


def _fitting(
    kind: Kind, folded: Folded, start: int, end: int, least: tuple[int, int] | None = None
) -> tuple[int, int] | None:
    """Where the value stands, without words of the sentence that look like a part of it."""
    while (filler := _FILLER.match(folded.low, start, end)) and folded.text[start : filler.end()].islower():
        start = filler.end()
    opener = _LEADING.match(folded.low[start:end])
    if opener and _opens(kind, folded, start, end, opener[1]):
        start += opener.end()
        opener = None
    while (
        (trailer := _TRAILING.search(folded.low, start, end))
        and not _ends_plate(kind, folded, start, end)
        and (
            (_OPENERS.match(trailer[1]) and not _shouted(folded, *trailer.span(1)))
            or not (
                folded.text[trailer.start(1)].isupper()
                or (opener and _CLOSING.search(folded.low, start, end))
                or len(trailer[1]) == 1
            )
            or (
                folded.text[trailer.start(1) : end].islower()
                and (_has_capital(folded.text, start, trailer.start()) or folded.text[trailer.start()] == "/")
            )
            or _WORD.fullmatch(folded.text, *trailer.span(1))
        )
    ):
        end = trailer.start()
    if kind.entity == "LICENSE_PLATE" and (joined := _JOINED.search(folded.text, start, end)):
        end = joined.start()
    if kind.entity in _LED_TO and (led := _LED.match(folded.text, start, end)):
        start = led.end(1)
    start, end = _told_one_by_one(folded, start, end)
    if _UUID.match(folded.low, start):
        return None
    if start >= end or not kind.fits(folded.low[start:end]):
        return None
    if least is not None and not _is_like(kind, folded.text[slice(*least)], folded.text[start:end]):
        return None
    return start, end


_ALOUD = re.compile(r"(?:[a-z] )?\d(?: \d)+")
_GOES_ON = re.compile(r"(?: \d(?!\w|[.,:/]\d))*")
_SPELT = re.compile(r"(?<![\w'])(?:[A-Z] ){1,3}$")


def _told_one_by_one(folded: Folded, start: int, end: int) -> tuple[int, int]:
    """Where a value stands whose letters and digits are told each for itself: A B 1 2 3 4 5 6 7 8."""
    if not _ALOUD.fullmatch(folded.low, start, end):
        return start, end
    goes_on, spelt = _GOES_ON.match(folded.low, end), _SPELT.search(folded.text, max(0, start - 6), start)
    return spelt.start() if spelt else start, goes_on.end() if goes_on else end


def _ends_plate(kind: Kind, folded: Folded, start: int, end: int) -> bool:
    """Say whether the small letters at the end belong to a British plate."""
    return kind.entity == "LICENSE_PLATE" and _BRITISH.fullmatch(folded.low, start, end) is not None


def _is_like(kind: Kind, first: str, value: str) -> bool:
    """Say whether a second value is about as long as the first, and not of small letters behind capital ones."""
    if kind.entity == "LICENSE_PLATE" and value.isdigit() and not first.isdigit():
        return False
    return abs(len(value) - len(first)) <= 4 and not (value.islower() and first.isupper())


_SORT = re.compile(
    r"(?<![\w-])\d{2}([ -])\d{2}\1\d{2}(?: ?[,/] ?|[ ,]{1,2}(?:acc\w{0,5}|account)[ :]{1,2}|  ?)\d{8}(?![\w-]|[.,]\d)"
)
_TRANSIT = re.compile(
    r"\btransit\W{1,3}(?:no\.? |is )?(\d{5})\b[ ,;/]{1,3}(?:and )?(?:institution|inst|bank)\W{1,3}(?:no\.? )?(\d{3})\b"
)
_ENDS = re.compile(
    r"\b(?:account|acct|acc|konto|cuenta|compte|conta)\b[^\n.;\d]{0,24}?(?:ends?|ending|last (?:four|4)|terminad[ao]|termina|endet auf|final)\b[^\n.;\d]{0,12}?(\d{3,4})(?![\w]|[-.,/]\d)|last (?:four|4)(?: digits)? of (?:the|your|my) (?:bank )?acc\w{0,5}[^\n\d]{0,24}\n?[^\n\d]{0,12}?(\d{4})(?!\w)"
)


def _find_accounts(folded: Folded, ends: Ends) -> Iterator[Hit]:
    for match in around(_SORT, folded.low, ends, 30, 20):
        yield Hit("BANK_ACCOUNT", match.start(), match.end(), 0.85)
    for match in around(_TRANSIT, folded.low, ends, 50, 6):
        for group in (1, 2):
            yield Hit("BANK_ACCOUNT", match.start(group), match.end(group), 0.8)
    for match in around(_ENDS, folded.low, ends, 70, 6):
        group = match.lastindex or 1
        yield Hit("BANK_ACCOUNT", match.start(group), match.end(group), 0.7)


def _sign(kind: Kind) -> str:
    return rf"(?:\b|_)(?:{kind.words})(?:\b|_)"


RECOGNIZERS = (
    *(
        Recognizer(
            kind.entity.lower().replace("_", " ") + " in words", (_sign(kind),), _reader(kind), every=True
        )
        for kind in KINDS
    ),
    Recognizer(
        "accounts",
        (
            r"\d{2}[ -]\d{2}[ -]\d{2}[ ,/a-z:]{1,12}\d{8}",
            r"\b(?:institution|inst|bank)\W{1,3}(?:no\.? )?\d{3}\b",
            r"\b(?:ends?|ending|terminad[ao]|termina|endet|final|last (?:4|four))\b[^\d]{0,48}\d{3}",
        ),
        _find_accounts,
        every=True,
    ),
)
