"""Words that a network takes for people and births, and the words around them say otherwise.

A month in a column of months, a day on which something was ordered, a verb at the head of a sentence, a
name in code, the name of a language and its country.
"""

from __future__ import annotations

import re
from typing import Final

from vault.redaction.everyday import EVERYDAY
from vault.redaction.technical import is_a_product, is_a_record, is_technical

# fmt: off
_MONTHS: Final = (
    "jan jan. feb febr mar apr may jun jul aug sep sept oct nov dec january february march april june"
    " july august september october november december januar februar märz mai juni juli oktober dezember"
    " okt dez ene abr ago dic enero febrero marzo abril mayo junio julio agosto septiembre setiembre"
    " octubre noviembre diciembre janvier février fevrier avril juin juillet août septembre octobre"
    " novembre décembre fev mai set out janeiro fevereiro março maio junho julho setembro outubro"
    " novembro dezembro"
)
_DAYS: Final = (
    "mon tue tues wed thu thur thurs fri sat monday tuesday wednesday thursday friday saturday sunday"
    " montag dienstag mittwoch donnerstag freitag samstag sonntag lunes martes miércoles jueves viernes"
    " sábado domingo lundi mardi mercredi jeudi vendredi samedi dimanche segunda terça quarta quinta"
    " sexta"
)
_NAMED: Final = (
    "jan mar may jun april june august march july mai juni juli julio abril avril junio mayo marzo märz"
    " janvier domingo out set mon sat monday tuesday wednesday thursday friday saturday sunday sonntag"
    " freitag dimanche"
)
"""Of these, what somebody may be called."""

_VERBS: Final = (
    "bear carry chase chuck dip grant hope mark peg pierce rob rush skip spike sue tuck wish abre"
    " allume apaga aumenta baixa baja busca cherche cierra coloca corrige dame desliga diminui dime"
    " donne enciende envía erkläre escreve escribe explica explique fecha ferme gib haz joue korrigiere"
    " liga mach manda mets mostra montre muestra ouvre öffne pon quita résume resume sag schalte"
    " schließe schreib sube such spiel toca traduce traduis traduz übersetze zeig éteins écris"
    " améliore arregla arruma cambia controleer controlla correggi formuliere geef hazme herschrijf maak"
    " melhora mejora migliora prüfe redacta redige reescreve reescribe reformula reformule revisa riassumi"
    " riscrivi rédige schrijf scrivi traduci transforma vérifie verbessere verbeter verifica vertaal"
)
_CALLINGS: Final = (
    "abogada abogado abuela abuelo acheteur acheteuse acquirente advocaat advogada advogado allenatore"
    " alumna alumno aluna alunna alunno aluno ambassade amica amici amico anwalt anwältin arzt avocat"
    " avocate avvocato avó avô ayuntamiento bailleur belastingdienst boekhouder botschaft bruder buren"
    " buurman buurvrouw canalizador casera casero chefin cliente clientes cognata cognato colega colegas"
    " collega colleghi collègue commercialista compañera compañero comprador compradora conciërge"
    " conserje contabilista contadora copain copine cousine cugina cugino cunhada cunhado cuñada cuñado"
    " câmara dentista dentiste dierenarts dochter dominee eigenaar eigentümer electricista elektricien"
    " elektriker elektrikerin eletricista elettricista encanador enfermeira enfermeiro enfermera"
    " enfermero entraîneur entrenador entrenadora famiglia familia familie famille família fiancé"
    " fiancée fidanzata fidanzato figli figlia figlio filha filho fille fils fontanero fratello freundin"
    " frère gebruiker gemeente gemeinde hausmeister hausmeisterin hermana hermano hermanos hija hijas"
    " hijo hijos huisarts huisbaas huurder idraulico infermiera infirmier infirmière inquilina inquilino"
    " inquilinos irmã irmão jefa jefe klant klempner kollege kollegin krankenschwester kunde kundin"
    " käufer käuferin leerling lehrer lehrerin leraar lerares locataire locataires loodgieter mairie"
    " makelaar maleta marido marito mieter mieterin moeder moglie motorista mutter mère médecin médica"
    " médico nachbar nachbarin nachbarn namorada namorado neffe neveu nichte nipote nièce noiva noivo"
    " novia novio onkel padrone parroco patronne patrão pfarrer pfarrerin plombier porteiro portinaia"
    " portinaio profesora professeur professora professoressa propietaria propietario proprietario"
    " proprietária proprietário propriétaire père schoonmoeder schoonvader schoonzus schwager schwester"
    " schwiegermutter schwiegersohn schwiegervater schwägerin schüler schülerin senhoria senhorio"
    " sobrina sobrinha sobrinho sobrino soeur sogra sogro sohn sorella steuerberater steuerberaterin"
    " suegra suegro suocera suocero síndica síndico sœur tandarts tante tierarzt tierärztin tochter"
    " treinador treinadora vader vater vecina vecinas vecino vecinos vendedor vendedora vendeur vendeuse"
    " venditore verhuurder verkoper verkäufer verkäuferin verlobte verlobter verloofde vermieter"
    " vermieterin verpleegster veterinaria veterinario veterinária veterinário vicina vicini vicino"
    " vizinha vizinhas vizinho vizinhos voisin voisine voisines voisins voorzitter vorsitzender vriendin"
    " vétérinaire zahnarzt zahnärztin zoon zwager ärztin électricien électricienne élève"
)
"""What people are to each other, and offices, in words that name nobody."""

_CALLED_SO: Final = (
    "ami amie amiga amigo baas beau belle broer capo chef coach comune cura curé frau freund gérant"
    " koper madre madrina maj mamie mann mari medico mujer mulher mãe neef nonna nonno notaire notar"
    " notario oma oncle oom opa padre padrino pai papi patron portero presidente prima primo tia tio"
    " trainer tía tío vriend vrouw wanne zia zio zus"
)
"""The same in words that are names, too: behind an article they are none."""

_ARTICLES: Final = (
    "van von vom der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner"
    " dein deine sein seine seinen seinem ihr ihre ihren ihrem unser unsere unseren el la los las un una"
    " mi mis tu tus su sus nuestro nuestra al del le les une mon ma mes ton ta son sa ses notre nos"
    " votre leur du au aux cette o a os as um uma meu minha meus minhas seu sua nosso nossa do da dos ao"
    " il lo i gli uno mio mia tuo tua suo nostro nostra della dal dalla alla de het een mijn jouw zijn"
    " haar ons onze hun the my his her our their your"
)
_ASSISTANTS: Final = (
    "alexa bixby chatgpt claude copilot cortana deepseek gemini grok llama mistral perplexity siri"
)
_ALWAYS: Final = (
    "siri cortana chatgpt copilot bixby deepseek nuevo nueva nouveau nouvelle novo vp svp evp ceo cto cfo coo"
    " opaque stdin stdout stderr dunno erm hmm idk uh uhm um olá servus bises bisous"
    " poštovani poštovana takk aloha mahalo será recebi reservei vejo aktuell annonce seulement dinnae nae"
    " defo ayyy trynna wanne saal nahi nahin chahiye padhti padhta olan için"
    " dvla hmrc dmv uscis inss imss tsa"
)
_BOOKS: Final = (
    "amos daniel esther ezra james job joel john jonah luke mark matthew micah peter ruth samuel"
    " timothy titus"
)
# fmt: on
_DATES: Final = frozenset(f"{_MONTHS} {_DAYS}".split())
_BORNE: Final = frozenset(_NAMED.split())
_DONE: Final = frozenset(_VERBS.split())
_CALLED_ON: Final = frozenset(_ASSISTANTS.split())
_NEVER: Final = frozenset(_ALWAYS.split())
_PARTS: Final = frozenset(_CALLINGS.split())
_MAYBE: Final = frozenset(_CALLED_SO.split())
_ROLES: Final = _PARTS | _MAYBE
_DETERMINED: Final = frozenset(_ARTICLES.split())
_SCRIPTURE: Final = frozenset(_BOOKS.split())
_SURE: Final = 0.6
_WORDS: Final = re.compile(r"[^\W\d_]+\.?")
_NUMBERED: Final = re.compile(r"[.,;:|\t ]{0,3}\d")
_TIMED: Final = re.compile(
    r"(?:\d(?:st|nd|rd|th|\.)?|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?|\b(?:in|of|during|since|until|till"
    r"|last|next|this|early|late|mid|every|seit|im|bis|ab|desde|hasta|en|em|depuis|début|fin|dès)) $",
    re.IGNORECASE,
)
_OBJECT: Final = re.compile(
    r" (?:this|them|the|it|that|these|those|him|us|me|la|el|los|las|le|les|un|una|une|o|os|as|a|um|uma|das"
    r"|den|die|der|ein|eine|einen|mir|moi|nos|esto|este|esta|isso|isto|ce|cet|cette|ça"
    r"|il|lo|gli|uno|de|het|een|deze|dit|mi|mis|mon|ma|mes|meu|minha|mein|meine|meinen|mio|mia|mijn|questo|questa)\b"
)
_MODAL: Final = re.compile(r" (?:i|we|you|he|she|they|it|there|this|that)\b", re.IGNORECASE)
_KINSMAN: Final = re.compile(
    r"(?:^|[.,!?\n] ?|\b(?:my|our|his|her|their|your|the) (?:[\w'-]+ )?)"
    r"(?:mum|mom|mother|dad|father|parents|brothers?|sisters?|sons?|daughters?|kids?|child|children|husband"
    r"|wife|partner|boyfriend|girlfriend|bf|gf|nan|gran|grandma|grandpa|grandad|aunt|auntie|uncle|cousins?"
    r"|friends?|boss|teacher|doctor|landlord|neighbou?rs?|tenants?|baby) $",
    re.IGNORECASE,
)
_INFINITIVE: Final = re.compile(
    r" (?:(?:not|never|also|only|probably|still|soon|always|even|just|well) )?"
    r"(?:be|have|come|go|get|need|want|do|take|make|see|help|know|like|say|stay|leave|pay|call|drive|bring"
    r"|give|try|turn|start|visit|keep|look|not|never)\b"
)
"""What somebody may or will do."""

_GREETED: Final = re.compile(
    r"(?:^|[.!?,\n] ?|\b(?:hi|hey|hello|ok|okay|thanks|thank you|dear|please|hola|gracias|hallo|danke|salut"
    r"|merci|bonjour|oi|olá|obrigad[oa]),? )$",
    re.IGNORECASE,
)
_MEDICINE: Final = re.compile(
    r"[a-z]{3,16}(?:statin[ae]?|pril|sartan|formina?|triptylin[ae]?|oxetin[ae]?|prazole?|cillina?|mycin[ae]?"
    r"|floxacina?|dipin[ae]?|olol|azepam|zolam|codon[ae]|triptan|gliptin[ae]?|gliflozin[ae]?)",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(r"\s*(?:[,.!?]|\Z)")
_VERSE: Final = re.compile(r" \d{1,3}:(?:\d(?!\d)|[6-9]\d|\d{1,3}[-\u2013]\d)")
_ARTICLE: Final = re.compile(r"\b(?:the|la|el|le|un|una|une|der|die|das|den|dem|ein|eine) $", re.IGNORECASE)
_RIGHTS: Final = re.compile(r" (?:SELECT|ALL|INSERT|UPDATE|DELETE|USAGE|EXECUTE|CONNECT|CREATE)\b")
_BUILT: Final = re.compile(
    r" (?:failed|build|job|pipeline|server|agent|node|plugin|instance"
    r"|is (?:down|up|broken|red|green|failing))\b"
)
_SERIES: Final = re.compile(r"[ -](?:Benz\b|[A-Z]{1,3}[ -]?(?:\d{2,3}\b|Class|Klasse|Classe|Clase))")
_CODED: Final = frozenset(["ada", "crystal", "dart", "julia", "pascal", "ruby", "scala"])
_LIST: Final = (
    r"(?:, ?(?:and |or )?|/| ?& ?| (?:and|or|vs\.?|than|over|after|before|to|from|und|oder|y|o|et|ou|e) )"
)
_LANGUAGES: Final = (
    r"(?i:python|haskell|java(?:script)?|typescript|rust|golang|perl|php|kotlin|scala|fortran|cobol|lisp|matlab|clojure"
    r"|erlang|elixir|ocaml|numpy)"
)
_CODED_TOO: Final = r"(?i:ada|crystal|dart|julia|pascal|ruby|scala)"
_TONGUE: Final = re.compile(rf"(?:{_LIST}{_CODED_TOO})?{_LIST}{_LANGUAGES}\b")
_TONGUES: Final = re.compile(rf"\b{_LANGUAGES}{_LIST}(?:{_CODED_TOO}{_LIST})?$")
"""Other languages of programs in the same list."""

_OPENS: Final = re.compile(r"(?:^|[.!?:;\n\"“(*-] ?)$")
_CALLED: Final = re.compile(r"\.[a-z_]\w*\(|\((?!at\)|a\))|=[^\s=]")
_ENDING: Final = re.compile(r"[\w-]{0,24}\.[a-z]{1,4}(?:[,:;)\s\"']|\Z)")
_SUMMED: Final = re.compile(
    r"\b(?:sha-?(?:1|224|256|384|512)|md5|blake2[bs]?|checksum|integrity|digest|etag)[\"']?\s?[=:-]\W{0,2}$",
    re.IGNORECASE,
)
_SHOUTED: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_CHAIN: Final = re.compile(r"[\w.]{0,120}")
_CHAIN_BEFORE: Final = re.compile(r"[\w.]{1,120}$")
_LOGGER: Final = re.compile(
    r"(?:[a-z]\w{0,30}\.){2,8}(?:[A-Z][a-z0-9]{1,30}[A-Z]\w{0,60}|[a-z]\w{1,30}\.[A-Za-z]\w{1,60})"
)
"""A class behind the packages that it lies in."""

_LOCALE: Final = re.compile(r"[a-z]{0,3}_[A-Z]{2}(?:[.@][\w-]{1,12})?")
_YEAR: Final = re.compile(
    r"(?<!\d)(?:1[89]|20)\d\d(?!\d)|\d[./-]\d{1,2}[./-]\d|['\u2019]\d\d\b|\d{6}|[^\W\d_] (?:3[2-9]|[4-9]\d)$"
)
_SPELT: Final = re.compile(
    r"\b(?:nineteen|eighteen|two thousand|twenty[- ]\w+$|neunzehn|zweitausend|mil|deux mille)"
)
_NUMBER: Final = re.compile(r"\d{1,2}")
_NEXT: Final = re.compile(r"[;,|\t]\w")
"""The next cell of a row."""

_DAYS_OF: Final = re.compile(
    r"(?:.*[\d.], ?)?\d{1,2}(?:st|nd|rd|th|\.)?,? (?:and|und|y|et|e|en) (?:the )?"
    r"\d{1,2}(?:st|nd|rd|th|\.|,)?(?: of| de)? ?[^\W\d_]*\W*"
)
"""Several days of a month, without a year."""

_TIME: Final = re.compile(r",?(?: at| um| à| a las| às|T)? ?\d{1,2}[:h]\d\d")
_BIRTH: Final = re.compile(
    r"(?=[abcdfgjlnopstuvyz])(?:"
    r"birth|born|d\.o\.b|nacid|nacim|cumple|anniv|naiss|nasc|anivers|urodz|compleann|fødsel|född"
    r"|\b(?:b-?day|geb|nac[ií]|cumpl|turn|jahre|años|(?:dob|n[ée]e?|years?|age[ds]?|old|alt|ans|anos|nata?o?"
    r"|aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius|pisces|zodiac|sign"
    r"|baby|b[ée]b[ée]s?|newborn|neugeboren\w*|twins?|feast|candles|cake|party"
    r"|delivered|due date|name day|same day)\b))"
)
"""Of small letters: it is asked for every day, and takes a twentieth of the time so."""

_NO_DAY: Final = re.compile(
    r"\W*\d{1,3}(?:[.,]\d{3})+\W*"
    r"|(?:[^\W\d_]{0,20}[\W\d_]{1,4})?(?<![^\W\d_])[A-Za-z]{1,2}\d{2,3}(?![./年-]|\d).*"
)
"""Thousands, or a name such as X11: an era's year has a dot behind it, and what is longer may be an id."""

_AILING: Final = re.compile(
    r"\b(?:has|have|had|having|hat|habe|haben|tiene|tengo|tienen|tem|tenho|leidet an"
    r"|diagnosed with|suffer(?:s|ing|ed)? from)"
    r"(?: (?:got|also|both|severe|mild|chronic|bad|early|auch))?"
    r" (?:[A-Z]{2,6}(?:,| and| und| y| e| et| or|, and) ){0,3}$"
)
"""What is behind it in capitals is an illness, where nobody could say it: COPD, and not EMMA."""

_UNSAYABLE: Final = re.compile(
    r"^(?!b[lr]|c[hlr]|d[rw]|f[lr]|g[lrw]|k[hlrw]|ll|ng|p[hlr]|s[chklmnptvw]|t[hrsw]|v[l]|w[hr]|zh)[^aeiouy]{2}"
    r"|(?![cln]k|n[dgnst]|l[dflmst]|r[dklmnst]|s[hst]|t[hst]|ch|ph|hn|hl|mm|nz|tz|x[xt])[^aeiouy]{2}$"
)

_ABSTRACT: Final = re.compile(
    r"(?!(?:con(?:cep|sola)|asun|encarna|anuncia|visita|purifica|resurrec|presenta|ascen|trin|nativ|felic|car)"
    r"(?:c?i[oó]n|c?s[ií][oó]n|[cs]i[oó]n|idade?)$)"
    r"[^\W\d_]{3,}(?:[cs]i[oó]n|[cs]iones|ção|ções|zion[ei]|idad|idade|idades|[hk]eit|[hk]eiten|schaft|schaften|[^\W\d_]ung|ungen|tions?)"
)
"""How nouns end of what is done or how it is; Concepción and Trinidad are people, too."""

_GOING_ON: Final = re.compile(r"\b(?:fic|est|sig|and|contin)\w{0,5}(?: (?:me|te|se|nos))? $")
_OF_KIN: Final = re.compile(
    r"\b(?:mam[áa]|pap[áa]|madre|padre|herman[oa]|hij[oa]|abuel[oa]|t[íi][oa]|prim[oa]|suegr[oa]"
    r"|marido|mujer|espos[oa]|novi[oa]) $"
)
_KIN: Final = "tante onkel oma opa mama papa mutter vater schwester bruder nichte neffe cousin cousine enkel"
_RELATIVES: Final = frozenset(_KIN.split())
_MY: Final = re.compile(r"\b(?:mein|dein|sein|ihr|unser)(?:e[rmns]?)? $", re.IGNORECASE)
_WELCOMED: Final = re.compile(
    r"\b(?:agent|support|advisor|assistant|bot|rep|operator|service)\W{1,3}(?:(?:hi|hello)\W{1,2})?"
    r"(?:thanks|thank you) for (?:contacting|calling|choosing) $",
    re.IGNORECASE,
)
"""A company speaks of itself."""


def _is_next(value: str, before: str) -> bool:
    """Say whether a word without a capital stands behind a comma."""
    return value.islower() and before.endswith(", ")


def _is_verb(word: str, before: str) -> bool:
    """Say whether a word without a capital is what a relative did, or goes on doing."""
    if word.endswith(("ando", "endo", "indo")):
        return _GOING_ON.search(before) is not None
    return word.endswith("ó") and _OF_KIN.search(before) is not None


def is_a_medicine(value: str) -> bool:
    """Say whether a word ends as the names of medicines do."""
    return _MEDICINE.fullmatch(value) is not None


def is_no_person(value: str, before: str, after: str) -> bool:
    """Say whether words that may be a name are none where they stand."""
    words = [word.rstrip(".").casefold() for word in _WORDS.findall(value)]
    if not words:
        return False
    if _DATES.issuperset(words):
        if _BORNE.isdisjoint(words) or (len(words) > 1 and not _BORNE.issuperset(words)):
            return True
        beside = {word.rstrip(".").casefold() for word in _WORDS.findall(f"{before} {after}")}
        if not beside.isdisjoint(_DATES - _BORNE):
            return True  # one of several
        if _NUMBERED.match(after) or _TIMED.search(before):
            return True
    if value.islower() and not after[1:2].isupper() and _is_a_part(words, before):
        return True
    return len(words) == 1 and _is_no_name(value, words[0], before, after)


def _is_a_part(words: list[str], before: str) -> bool:
    """Say whether words without a capital are but what somebody is to others: "de buurvrouw"."""
    core = [word for word in words if word not in _DETERMINED]
    if not core or not _ROLES.issuperset(core):
        return False
    opening = [*before.casefold().split(), *words[: words.index(core[0])]][-1:]
    return not _MAYBE.issuperset(core) or not _DETERMINED.isdisjoint(opening)


def _is_no_name(value: str, word: str, before: str, after: str) -> bool:
    """Say whether one word is a verb, a noun behind its article, a program, a book, or who is talked to."""
    opens = _OPENS.search(before) is not None
    return (
        word in _NEVER
        or (word in _DONE and (opens or _is_next(value, before)) and _OBJECT.match(after) is not None)
        or (word in {"may", "will"} and opens and _MODAL.match(after) is not None)
        or (
            value in {"may", "will"}
            and _INFINITIVE.match(after) is not None
            and _KINSMAN.search(before) is not None
        )
        or (word in _CALLED_ON and _GREETED.search(before) is not None and _ALONE.match(after) is not None)
        or (word in _SCRIPTURE and _VERSE.match(after) is not None)
        or (word in {"mercedes", "lexus"} and _SERIES.match(after) is not None)
        or (word in _CODED and (_TONGUES.search(before) or _TONGUE.match(after)) is not None)
        or (value.isupper() and _UNSAYABLE.search(word) and _AILING.search(before) is not None)
        or (value.islower() and (_is_verb(word, before) or _ABSTRACT.fullmatch(word) is not None))
        or (word in _RELATIVES and _MY.search(before) is not None)
        or _WELCOMED.search(before) is not None
        or (word == "jenkins" and _BUILT.match(after) is not None)
        or (value == "GRANT" and _RIGHTS.match(after) is not None)
        or (value.islower() and word in EVERYDAY and _ARTICLE.search(before) is not None)
    )


def is_no_birth(value: str, around: str, after: str, score: float) -> bool:
    """Say whether a day has no year, or has a time, and nothing around it speaks of a birth."""
    if _NO_DAY.fullmatch(value) or _DAYS_OF.fullmatch(value):
        return True
    if _NUMBER.fullmatch(value) and _NEXT.match(after):
        return True
    if not any(map(str.isdigit, value)) and len(_DATES.intersection(value.casefold().split())) > 1:
        return True  # a row of months
    is_sure = score >= _SURE and not _NUMBER.fullmatch(value)
    if not _TIME.match(after) and (is_sure or _YEAR.search(value) or _SPELT.search(value.casefold())):
        return False
    return _BIRTH.search(around.lower()) is None


def is_no_user(value: str, before: str, after: str) -> bool:
    """Say whether a word is a constant, what a program calls, a column of it, a file, the id of a record."""
    is_file = before.endswith("/") and _ENDING.match(after) is not None
    is_option = before.endswith("--") and value.islower()
    return (
        is_file
        or is_option
        or is_a_column(value, after)
        or _SHOUTED.fullmatch(value) is not None
        or _CALLED.match(after) is not None
        or is_technical(value)
        or is_a_product(value)
        or is_a_record(value, before)
        or _is_logger(value, before, after)
    )


def _is_logger(value: str, before: str, after: str) -> bool:
    """Say whether a value is a class behind its packages, or a part of it."""
    opening, closing = _CHAIN_BEFORE.search(before), _CHAIN.match(after)
    if "." not in value and not (opening and opening[0]) and not (closing and closing[0]):
        return False
    whole = (opening[0] if opening else "") + value + (closing[0] if closing else "")
    return _LOGGER.fullmatch(whole.strip(".")) is not None


_EDGE: Final = 8  # characters
_COLUMN: Final = re.compile(
    r"[a-z]+\d{1,3}_(?:\d{1,3}_(?!\w)|\.[a-z_]| (?:where|on|set|inner|left|right|cross|join|order)\b)"
)
"""How programs name the tables and columns of a query: user0_.email as email2_0_."""


def is_a_column(value: str, after: str) -> bool:
    """Say whether a word is a table or a column in a query that a program wrote."""
    return "." not in value and _COLUMN.match(value + after[:_EDGE]) is not None


def is_a_sum(before: str) -> bool:
    """Say whether what stands before a value says that it is the sum of a file."""
    return _SUMMED.search(before) is not None


def is_a_locale(value: str) -> bool:
    """Say whether a word is a language and its country: pt_BR."""
    return _LOCALE.fullmatch(value) is not None
