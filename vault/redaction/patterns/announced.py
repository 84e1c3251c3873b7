"""The kinds of values that words announce: their words, in five languages and more, and the form of their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# A token with a digit, then tokens with digits joined by one mark or space; a lone letter may end it.
_ID = (
    r"(?<![\w.])(?<!\w')(?:(?:[a-z]{1,5}[-/.]){1,2}|[a-z]{1,7}[-/.#]{0,1} ?)?(?=[a-z]{0,6}\d)[a-z0-9]{1,24}(?:(?:[-/.]| ?[-/] ?| )(?=[a-z]{0,3}\d)[a-z0-9]{1,14}){0,6}"
    r"(?:[-/ ]?[a-z]{1,4}(?![\w'=:]))?(?:\(\d\))?(?!\w|[.,:]\d|%)"
)
_GAP = r"(?P<mid>[^\d\n;!]{0,44}?(?:\n[^\d\n;!]{0,24}?|(?<=\?)\n[^\d\n;!]{0,60}?)?)"


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


def counts(value: str) -> tuple[int, int]:
    """Count the digits and the letters."""
    return sum(map(str.isdigit, value)), sum(map(str.isalpha, value))


def _is_id(least: int, most: int = 24, *, letters: int = 10) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        digits, alphas = counts(value)
        return (
            least <= digits
            and digits + alphas <= most
            and alphas <= letters
            and not DATE.fullmatch(value)
            and not _AMOUNT.fullmatch(value)
        )

    return fits


DATE = re.compile(
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
    digits, alphas = counts(value)
    if not 1 <= digits <= 8 or not 4 <= digits + alphas <= 11 or DATE.fullmatch(value):
        return False
    if _NOT_PLATE.search(value):
        return False
    if any(map(_PLATE_WORD.match, re.split(r"[-/. ]", value))) and not value[0].isdigit():
        return False
    return alphas > 0 or (digits >= 4 and not re.fullmatch(r"(?:1[5-9]|20)\d\d", value))


def _is_account(value: str) -> bool:
    digits, alphas = counts(value)
    dated = DATE.fullmatch(value) and not re.fullmatch(r"(\d\d)[- ]\d\d[- ]\d\d", value)  # a sort code
    return 6 <= digits <= 24 and alphas <= 6 and not dated


def _is_chart(value: str) -> bool:
    return _is_id(4, 24)(value) and not _MINUTE.fullmatch(value)


_MINUTE = re.compile(r"20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")


def _is_passport(value: str) -> bool:
    return _is_id(4, 12, letters=6)(value) and not NO_PASSPORT.fullmatch(value)


NO_PASSPORT = re.compile(
    r"(?:[a-z][a-z0-9] ?\d{3,4}|(?:pp?\.? ?)?\d{1,4} ?[-\u2013] ?\d{1,4}|(?:[01]\d|2[0-3])(?:00|15|30|45))(?![\w-])"
)
"""A flight, a time of the day, or pages, which stand beside passports more often than such short ones do."""


def _is_ssn(value: str) -> bool:
    return counts(value)[0] in {4, 9} and value.strip("0-. ") != ""


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
