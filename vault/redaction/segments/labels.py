"""The words that name personal data, in English, Spanish, German, French and Portuguese."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
_NUMBERS = frozenset(
    _WORD.findall(
        """
        phone telephone tel mobile cell fax ssn sin dob birth birthday birthdate born card cc pan cvv cvc
        account acct iban routing passport license licence age zip zipcode postal postcode ip ipv4 mac tax tin
        itin ein nino nhs mrn patient medical insurance medicare imei vin plate pin password passcode otp
        social identity citizen whatsapp telefono movil celular fijo edad tarjeta cuenta pasaporte
        nacimiento dni nie nif curp rfc cedula cp matricula telefon telefonnummer handy handynummer mobil
        mobilnummer alter karte konto kontonummer ausweis reisepass geburtsdatum geburtstag plz postleitzahl
        steuer steuernummer steuerid fuhrerschein kennzeichen krankenkasse portable mobile age carte compte
        passeport naissance nir secu securite immatriculation permis telefone telemovel idade cartao conta
        passaporte nascimento cpf cnpj rg cep nif niss nis nasc nac naiss geb gebdat dogum tarihi urodzenia
        lahir nascita nato nata fodselsdato fodt fodd syntymaaika narozeni geboortedatum geboren leeftijd
        wiek ika umur usia alder pesel tckn nik ktp bsn personnummer cpr fiscale telp tlf gsm kimlik
        """
    )
)
_FIELDS = _NUMBERS | frozenset(
    _WORD.findall(
        """
        name firstname lastname fullname surname forename nickname username user login email mail address
        street city town state country county region province password passwd pwd secret token apikey key
        credential contact customer client employee employer company organization organisation doctor
        physician gender sex nationality ethnicity religion occupation title date url website host hostname
        database recipient sender author owner from to bcc subject reply salary diagnosis location latitude
        longitude signature handle nombre apellido apellidos correo direccion ciudad calle usuario
        contrasena clave empresa pais provincia vorname nachname familienname anschrift adresse strasse
        hausnummer ort wohnort stadt benutzer benutzername passwort kennwort firma land staatsangehorigkeit
        geburtsort kunde nom prenom courriel ville rue utilisateur passe pays entreprise societe employeur
        nome sobrenome apelido endereco morada cidade rua usuario senha pais estado bairro authorization
        auth cookie agent forwarded bearer session nazwisko imie miasto adres cognome indirizzo citta voornaam
        achternaam woonplaats isim soyad soyadi adi sehir nama alamat kota fornavn etternavn
        efternamn fornamn
        姓名 名字 联系人 客户 电话 手机 邮箱 地址 生日 密码 氏名 名前 担当者 電話 住所
        이름 성명 담당자 전화 주소
        имя фамилия фио контакт клиент телефон почта адрес пароль اسم الاسم الهاتف العنوان नाम फोन पता
        """
    )
)
_PERSONS = frozenset(
    _WORD.findall(
        """
        firstname lastname fullname surname forename nickname username user login customer contact client
        employee doctor physician patient tenant guest member student pupil borrower owner recipient sender
        attendee participant assignee nombre apellido apellidos usuario vorname nachname familienname kunde
        patientin mieter gast mitglied schuler prenom eleve nome sobrenome apelido cliente aluno paciente
        nazwisko imie cognome voornaam achternaam soyad isim nama fornavn etternavn efternamn fornamn
        姓名 名字 联系人 客户 氏名 名前 担当者 이름 성명 담당자 имя фамилия фио контакт клиент اسم الاسم नाम
        """
    )
)
_AROUND = frozenset(
    _WORD.findall(
        """
        my your his her their our the a of and or for full first last middle given family legal maiden home
        work office personal private business primary secondary main emergency billing shipping mailing
        delivery bank credit debit driver drivers driving number no nr num id code security line place legal
        health date e x real client access api de la el los las del da do dos das der die den des du le les
        di und et y mi tu su mein meine ihr ihre mon ma votre meu minha seu sua numero nummer num
        fecha datum data
        electronico eletronico postal codigo mot seguridad social
        """
    )
)
_COUNTS = frozenset(
    _WORD.findall(
        """
        count counts total amount price cost qty quantity version revision score rating rank size width height
        weight length duration percent index priority level balance limit offset page port attempts retries
        """
    )
)
_STEMS = re.compile(r"phone|telefon|passport|reisepass|geburt|konto(?:nummer|nr)|accountn|birth|ssn")
_PARTS = re.compile(
    r"(?:first|last|given|family|middle|full|maiden|sur|fore)names?$"
    r"|^(?:nombres?|apellidos?|(?:primer|segundo)(?:nombre|apellido)|vorname|nachname|familienname|prenom|nomdefamille|sobrenome"
    r"|apelido|cognome|voornaam|achternaam|soyadi?|imie|nazwisko|fornavn|etternavn|fornamn|efternamn)$"
)
_PASSWORDS = re.compile(
    r"(?:passwor[dt]|passwd|passphrase|passcode|pwd|psk|kennwort|contrasena|senha|mdp|motdepasse|wachtwoord|mnemonic"
    r"|.pass)$"
)
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*")
_VALUE = re.compile(r"\d{2}|\d\D{1,60}\d")
"""A number that counts no fields: nobody looks at a key, and this may be all that there is to find."""

_LONGEST = 60
_SPEAKERS = frozenset({"agent", "customer", "client", "user", "doctor", "patient", "employee"})


def _words(label: str) -> tuple[str, ...]:
    if label.isascii() and label.isalpha() and label[1:].islower():
        return (label.lower(),)
    bare = unicodedata.normalize("NFKD", label[:_LONGEST].replace("ß", "ss"))
    seen = "".join(letter for letter in bare if not unicodedata.combining(letter))
    whole = unicodedata.normalize("NFC", seen)  # syllables of Korean came apart too
    return tuple(word.lower() for word in _SEAM.split(whole) if word)


def may_number_a_person(label: str) -> bool:
    """Tell whether a number under this label could be personal data; where nothing names it, it could."""
    words = _words(label)
    return not words or any(word in _NUMBERS or _STEMS.search(word) for word in words)


def counts_things(label: str) -> bool:
    """Tell whether what stands under this label is an amount, a version or the like, and nobody's number."""
    words = _words(label)
    return not _COUNTS.isdisjoint(words) and _FIELDS.isdisjoint(words)


def names_a_person(label: str) -> bool:
    """Tell whether what stands under this label is somebody of the writer's."""
    return not _PERSONS.isdisjoint(_words(label))


def names_a_field(label: str) -> bool:
    """Tell whether some word of the label names a field of data."""
    return any(word in _FIELDS or _STEMS.search(word) for word in _words(label))


def is_part_of_a_name(label: str) -> bool:
    """Tell whether what stands under this label is somebody's first name, surname or both."""
    return _PARTS.search("".join(_words(label))) is not None


def is_a_name(label: str) -> bool:
    """Tell whether names stand under this label; of people, or of what else has one."""
    return is_part_of_a_name(label) or _words(label) in {("name",), ("names",), ("display", "name")}


def is_password(label: str) -> bool:
    """Tell whether what stands under this label is a password."""
    return _PASSWORDS.search("".join(_words(label))) is not None


def is_key(label: str, sign: str) -> bool:
    """Tell whether a line's first words are a key. In `Bob: hi` they are not: they must be searched.

    Before "=" any identifier is a key; before ":" each word must be one that fields are named by, save in an
    identifier such as user_email, where one is enough. Words with a value among them are
    none: "my card 4932 8350".
    """
    if len(label) > _LONGEST:
        return False
    if sign == ":" and label.lower() in _SPEAKERS:
        return False  # a line of a dialogue: its question stands in the line before
    simple = _IDENTIFIER.fullmatch(label)
    if sign == "=" and simple:
        return True
    words = _words(label)
    if len(words) == 1:
        return words[0] in _FIELDS or _STEMS.search(words[0]) is not None
    if simple and ("_" in label or label[:2] in {"X-", "x-"}):
        return names_a_field(label)
    return says_only_fields(label)


def says_only_fields(label: str) -> bool:
    """Tell whether a label is made of words that fields are named by, and no value stands among them."""
    return (
        names_a_field(label)
        and not _VALUE.search(label)
        and all(
            word in _FIELDS or word in _AROUND or word.isdigit() or _STEMS.search(word)
            for word in _words(label)
        )
    )


_NAMING = frozenset({"name", "key", "field"})


def names_the_next(key: str, said: str) -> str:
    """Give the field that a pair names, as in `{"name": "password", "value": "..."}`, if it is one."""
    is_name = key.lower() in _NAMING and len(said) <= _LONGEST and _IDENTIFIER.fullmatch(said) is not None
    return said if is_name and (is_password(said) or names_a_field(said)) else ""
