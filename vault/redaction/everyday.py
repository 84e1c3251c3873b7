"""Names that are everyday words too: Hope, Mark, Rosa, Wolf. Not every "hope" is Hope.

A session knows the names that were said in it wherever they stand. One that is a word besides is taken for
the name only where it is written as one.
"""

from __future__ import annotations

import re
from typing import Final

# fmt: off
_ENGLISH: Final = """
    abbot adder adler ajax alba alder ale alexa alto amber android angel apache apple april arch archer art
    arts ash ashes aspen aster august autumn axel azure bacon badger bailey baker ball bands bank banks bar
    barber bard barn baron barren basil bass bay beach beacon bean bear beard bee bell belle bench berry
    best birch bird bishop black blank blaze bloom blossom blue blunt board bob bolt bond bones book booker
    booth boss bow bowl bowler bowman boyle brand brave bray brew brewer brewster bridge bridges bright
    bristol brook brooks brown buck bud bull bunch bunny burden burn burns bush butcher butler button
    buttons byte cable cage camp canada cane cannon canon cap card carol carpenter carrier carter carver
    case cash cast castle cat cave chalk chamber chambers champion chan chance chandler chapman charity
    charm chase chef chess china chip chips chuck church cisco city clay clear clever cliff cloud clover
    coal coffee coke cole collar colt comfort con cook cool cooper cope coral core corn corner cortana
    cotton court crane cross crow crown cruise crystal cup curry curt cutter daily daisy dale dancer dart
    dash dawn day dean dear december deer denver desire destiny dick dingo django dock dolly dolphin don dot
    dove drake draper drew drift driver drum drummer duck duff duke dusty dyer eagle earl early earnest east
    easter easy echo eden edge elder elf elm ember england english eve ever excel faith falcon fall farmer
    farrow faulty favor fawn fear feather february fern ferry field fields finch fine fish fisher flash
    fleet fletcher flint flood flora flower flowers folk ford fore forest foster fountain fowler fox frame
    france frank frankly freed freedom freeman french fresh friday frost fry full fuller gaga gale game
    garden gardener gate gates gay gear gem gemini gene gentle gentry gig gin ginger git glade glass glen
    glory glover gold golden good goodman goose gore grace grammar grand granger grant gray green grey grim
    groovy grove guard guess guest guide gun guy hail hale hall ham hamlet hammer hand happy harbor hardy
    hare harmony harness harp harper hart haste hatch haven hawk hay hazel head heart heath heather heaven
    hedge helm herb herbs hero herring hill hills holiday holly holy honey honor honour hood hook hoop hope
    hopper horn horse house humble hunt hunter hurt inch iris irish iron ivory ivy jack jackal jade january
    jasmine jasper java jay jenkins jerk jet jewel jira job john jolly jot journey joy judge juice july jump
    june juniper jury justice kafka karma keen keeper kerberos key keys kind king kings kitchen kitty knight
    knot kotlin lace lad lady lake lamb land lane large lark last laurel law lawless lawn laws lawyer leaf
    lean leap ledger legend lemon lent lets level liberty light lightly lilac lily lime linden line link
    lion lip list little livery lock locker lodge london long lord lot lotus love loveless lovely lover low
    lowe lua lucky lung lyre lyric mace mackerel madden maiden maize major male mallet man manly manor maple
    marble march mare marina marine mark marker market marks mars marsh marshal marshall marten mason mast
    master mat match mate matt maven may mead meadow mean means melody melon mercer merchant mercurial
    mercury mercy merit merry might mild mile miles mill miller mills mine minor mint mistral misty mitten
    mojo mole monday moody moon moor moore morrow moss mountain mouse muse music nail nation neat neck neon
    nest nettle new newbie nick night nightly nile nip noble noon north nova novel november oak oaks oats
    ocean october old olive onyx opal oracle orange orchid otter outlaw owl ox pace page paige paint painter
    pal pan panda pandora paris park parker parks parrot parsley parson parsons pass past pat patch patience
    patient patty peace peach peacock peak pear pearl peck pen penny pepper perch perl perry petit petty
    phoenix piano pick pickle pie pierce pigeon pike pilgrim pilot pine pink pip piper pity pixel place
    plain plant plum poet point pole pollen pond pool poor pop pope poppy port porter post postman pot
    potter pound powder powers precious price pride priest prime prince princess prior prometheus proper
    proud prudence puck pug python queen quick quill quince rabbit race rain ram ranger rape rather raven
    ray read reader real rebel reckless reed reef reign rest reward rhyme rice rich riddle rider right ring
    rise river rivers road roads rob robe robin rock rocket rocky rod roll roman romance rook root rope rosa
    rose rosemary roses rough round rover rowan rowdy rowing ruby rue ruff rule runner rush russell russet
    rust rustle rusty ruth rye sable saddler safari saffron sage sailor sale salmon salt sand sandy sapiens
    sapphire saturday saturn savage sawyer scala scarlet scholar scout scratch sea seaborn seal sears self
    selfie september serene sergeant service sexton shade shakes shark sharp shaw shell shepherd shield
    shine shore short shrub sick sierra silk silver simple singer sire siri skinner skip sky slack slade
    sleek slick slow small smart smiley smith snap snow sol solaris soldier song sonny sorrel south spark
    sparks sparrow spear spencer spice spicer spike spirit spring springer sprout spud squire stable staff
    stamp star stark starling starr start state steel stein step sterling stern stew still stock stone storm
    stormy story stout strange straw stream street strong sue summer summers sun sunday sunny sunshine
    surrey swagger swallow swan sweet swift sword tab table tailor tall tanner tawny taylor teal temper
    temperance temple tennis tex texas thatcher thor thorn thrift thursday thyme tide tiger tiller timber
    time tin titan toddy topaz tor town tracer trader trail trainer treasure tree trello trench trick
    trinity trip trout true truelove truly trump trust truth tucker tuesday tulip turk turner twist
    underwood unity vale valley van vane vanilla vector vega velvet venus verity vice victor victory vine
    viola violet virgin virtue vivid vulcan wade wage wales walk walker wall walls walnut walter wander ward
    warden ware warren wash washer waters watt way weal wealth weaver wednesday weed week welcome well wells
    welsh west western wheat wheel wheeler whistler white whitman wick wild will willow wills wind winds
    wine wing winner winter winters wise wish wit wolf wood woods woody word words worth wren wright yard
    young yule zen zeus
    """
_GERMAN: Final = """
    acker adler ahorn alt anker apfel arm bach bader bauer baum berg bettler birke bischof blau blum blume
    bock boden brand braun breit brenner brief brunnen brücke buch busch bär böhm dorn drechsler eder ehe
    ehrlich eiche eis engel erbse esel essig eule falk falke faust feder feld fels fest feuer fink finke
    fischer fleischer fluss forst frank frei freitag freud freund frieden frosch frost fröhlich fuchs
    fuhrmann färber förster fürst gans garten geier geiger geist gerber gerst gold graf grau greif groß grün
    gut gärtner haar hahn hammer hase haupt haus heide heil heiland heilig heim held hell henne herbst
    hering herz herzog heu himmel hirsch hirt hof holz honig horn huf hummel hund hut igel jung junge jäger
    kaiser kaiserin kalb kamm kammer kater keil keller kern kessel kind kirch kirsch klee klein klinge
    knecht knopf koch kohl kopf korb korn kraft kranz krebs kreuz krieg krieger kron krone krug krämer kunst
    kurz köhl könig lamm land lang lange lehrer leib licht lieb liebe lieber linde luft lustig löffel löwe
    mai maler markt maus mehl meister mensch metzger mohr mond montag morgen mut mönch mühle münch nacht
    nagel neu nuss ochs ochse ofen ost otter pabst papst pfaff pfeffer pfeifer pfennig pflug pilz rabe raben
    rau rauch rebe reich rein reis reiter rettich richter riegel riese rind ring ritter rose rosen rot ruhe
    rund rücker sachs salz sand sattler sauer scharf schatz schild schiller schilling schlecht schlosser
    schmal schmied schneider schnell schreiber schreiner schuh schuster schwan schwarz schäfer schäffer
    schön schütz selig siegel silber singer sommer sonne sonntag specht speck sperling spiegel spitz spring
    stahl stark stein stern still stock stolz storch strauß streit strom stumpf stur sturm süß tanz taube
    teich teufel tisch topf traub traube träger tuch vater vogel voll wagner wald walter wand weg weide wein
    weise weiter weiß wende west widder wiese wild winkler winter wirt witz wolf wolke wunder wunderlich
    wurm zahn zander ziegler zimmer zimmermann zorn zucker
    """
_ROMANCE: Final = """
    abril agosto alba alegre amado ambre amor amparo arce areia arena arroyo assunção asunción aurora aurore
    aveia avelã avril azul barba barca baron barreto bas baía beau beaumont bela belle bello bento berger
    blanc blanca blanche blanco blond blé boa bois boisson bom bon bonito bosque boucher boulanger boulay
    bourgeois boutin branca branco bravo brun bueno bureau caballero cabello cabra cachoeira caldas calle
    calme calvo camelo camino campo campos cano cantor capela caridad carmona carneiro carrasco carrera
    carré carvalho casa casal casas castaño castillo castro celeste cerda cerezo cerf chaise champ champs
    chardon charme charpentier chat chauvin chaves chef cheval chevalier chevreuil châtaigne château chèvre
    chêne cielo clair claire clara claro clavel clerc clé coelho colombe colón conceição concepción
    constance consuelo copain coq corbeau cordeiro cordero cordier coroa corona correia corte cortés corvo
    costa couto couturier cravo cruz cuesta cueva cuisinier cunha câmara céleste céu daim dame dauphin
    delgado diamante dimanche doble dolores domingo doré douce dourado doux droit duc duque dur désiré
    encarnación enero esperanza espino espinosa espérance estrela estrella falcão faucon faure fauré fe
    feijó feliz ferme ferrand ferrer fier figueira figueiredo fille fleur flor flora flores floresta florin
    folha fontaine fonte fontes forestier formosa fort forte fortuna fournier frais franc franco freire
    froid fuente fuentes fève gallego gallo galo garnier garza garçon gato gauche gentil gilet gland gloria
    glória gracia grand grandet grange gras graça grenier gris gros guapo guerra guerrero guerrier haie
    hardi haro herbe hermoso herrera herrero heureux hidalgo hierro hiver houx hoyos hoz huit hus iglesia
    iglesias inmaculada inverno jacinthe jade janeiro jardin jardín jasmin jazmín jeune joie joli jolie
    joyeux juillet juin julio junio juste justo lage lago lagoa lapa lapin large largo laurel laurier
    lavande leite leme lent leão león libertad lilas lima lirio lis lièvre llanos lluvia lobo loma loup lua
    lucero lune luz léger lírio machado madeira madera maestro mai maia maire maison manso mar marca
    marchand marché marco mardi margarita marguerite marin marine mars marzo mas mata matin mayo mayor
    maître meira melena melo mena mercado merced mercedes mercier merle mesa meunier milagro milagros mimosa
    mina moine moineau molinero mont montagne montaña monte montes mora morales moreno moro moulin moura
    mouton muguet mármol naranjo nascimento navarro negro neige neto neuf nevado nieve nieves nobre noche
    noir nouveau novo noyer océane oiseau oliva olive oliveira olivo olmo orge orme oro ortiga otero ouro
    ours outeiro padilla page pain paixão paja palacio palha palma palmeira paloma palomo pan pape pardo
    paredes parfait paris parreira pastel pastor patience patrón paz pedra pedreira pedrosa peixoto
    pelletier pena peral pereira perla perle pessoa petit petite peña phare piedad piedra pierre pilar
    pimenta pin pinheiro pino pinson pinto pivoine plage plata plaza poeta poirier poisson poivre pomba
    pomme pommier ponce pont ponte porte portero porto poulain poule pozo prado prairie prata prazeres
    prieto prieur prima primavera prince printemps prune prunelle puente puerta puerto pêcheur pêra quinta
    rainha raisin ramalho ramos rana raposo rat real rebelo redondo refugio rego reina reine reis renard rey
    reyes ribeiro ribera riche rico rios rivera rivière robe roble robles roca rocha roche rocher rocío roda
    roi rojas rojo romarin romero romão ronce rond roque rosa rosado rosal rosales rosario rosier rossignol
    rouge roux royal royer rubio rubí rueda río ríos sabio sage saison salas sales salgado salvador samedi
    san santa santo santos sastre sauvage savoir seara seigneur serein serin serpa serra serrano severo
    sierra sobral sol soledad soleil soler souris sureau sá tailleur tanche tejada tejedor terra thé tierra
    tilleul tinto tonnelier toro torre torres tourneur trigo trindade trèfle tulipe vaca vache vale valente
    valle vallée valverde vega veiga vela velho vendredi vera verde verdier verger verne vert verão vicario
    victoria viejo viento vieux vigne vigneron ville vinhas violeta violette virtudes vitória viveiros vivo
    viña voisin zapata zapatero zorro zurdo ángel étoile íris
    """
# fmt: on
EVERYDAY: Final = frozenset(f"{_ENGLISH} {_GERMAN} {_ROMANCE}".casefold().split())

_ENDS: Final = ".!?:;\n\u2026\u2022>*#|-\u2013\u2014\"'\u201c\u201d\u201e\u00ab\u00bb\u00bf\u00a1([{"
"""Signs behind which a word has its capital from the sentence."""

_ARTICLE: Final = re.compile(
    r"\b(?:the|an|this|that|these|those|my|your|our|some|any|each|every|no"
    r"|der|die|das|den|dem|des|ein|eine|einen|einem|einer|eines|kein\w{0,2}|mein\w{0,2}|dein\w{0,2}|im|am|vom|zum|zur"
    r"|el|los|las|un|una|unos|unas|del|al|le|les|une|du|au|aux|cette|cet|ce|um|uma)\s$",
    re.IGNORECASE,
)
_ADDRESSED: Final = re.compile(r"[ \t]*(?:,|\r?\n|$)")
_SEEN: Final = 10  # letters before a word


def is_written_as_a_name(text: str, start: int, end: int) -> bool:
    """Say whether a word that may be an everyday one is written as a name where it stands.

    With a capital that is not the sentence's and behind no article; or alone, as one is called or signs.
    """
    word = text[start:end]
    if word.casefold() not in EVERYDAY:
        return True
    if not word[:1].isupper() or word.isupper():
        return False
    before = text[max(0, start - _SEEN) : start]
    bare = before.rstrip(" \t")
    if not bare or bare[-1] in _ENDS:
        return _ADDRESSED.match(text, end) is not None
    return _ARTICLE.search(before) is None
