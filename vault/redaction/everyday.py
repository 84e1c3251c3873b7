"""Names that are everyday words too: Hope, Mark, Rosa, Wolf. Not every "hope" is Hope.

A session knows the names that were said in it wherever they stand. One that is a word besides is taken for
the name only where it is written as one.
"""

from __future__ import annotations

import re
from typing import Final

# fmt: off
_ENGLISH: Final = """
    abbot ada adder adler ajax alba alder ale alexa alto amber android angel apache apple april arch archer
    art arts ash ashes aspen aster august autumn axel azure bacon badger bailey baker ball bands bank banks
    bar barber bard barn baron barren basil bass bay beach beacon bean bear beard beck bee bell belle bench
    berry best betty birch bird bishop black blank blaze bloom blossom blue blunt board bob bolt bond bones
    book booker booth boss bow bowl bowler bowman boyle brand brave bray brew brewer brewster bridge bridges
    bright bristol brook brooks brown buck bud bull bunch bunny burden burn burns bush butcher butler button
    buttons byte cable caesar cage camp canada cane cannon canon cap card carol carpenter carrier carter
    carver case cash cassandra cast castle cat cave chalk chamber chambers champion chan chance chandler
    chapman charity charm chase chef chess china chip chips chuck church cisco city claude clay clear clever
    cliff cloud clover coal cobb coffee coke cole collar colt comfort con conway cook cool cooper cope coral
    core corn corner cortana cotton court crane creed cross crow crown cruise crystal cup curry curt cutter
    daily daisy dale dancer dart dash dawn day dean dear december deer dell denver desire destiny dick dingo
    dixie django dock dolly dolphin don doss dot dove drake draper drew drift driver drum drummer duck duff
    duke dusty dyer eagle earl early earnest east easter easy echo eden edge edison elder elf elm ember
    england english ernest eve ever excel faith falcon fall farmer farrow faulty favor fawn fear feather
    february fern ferry field fields finch fine fish fisher fitch fitz flash fleet fletcher flint flood
    flora florence flower flowers floyd flynn folk ford fore forest foster fountain fowler fox frame france
    frank franklin frankly freed freedom freeman french fresh friday frost fry full fuller gaga gage gale
    game garden gardener gate gates gay gear gem gemini gene gentle gentry georgia gig gil gin ginger git
    glade glass glen glory glover gold golden good goodman goose gore grace grammar grand granger grant gray
    green grey grim groovy grove guard guess guest guide gun guy hadley hail hale hall ham hamlet hammer
    hand hank happy harbor hardy hare harmony harness harp harper hart haste hatch haven hawk hay hazel head
    heart heath heather heaven hedge helm herb herbs hermes hero herring hill hills hogg holiday holly holy
    honey honor honour hood hook hoop hope hopper horn horse house hugh humble hunt hunter hurt hussy ida
    inch india iris irish iron ivory ivy jack jackal jade january jasmine jasper java jay jenkins jerk jet
    jewel jimmy jira job john joiner jolly jot journey joy judge juice julia july jump june juniper jury
    justice justin kafka karma keen keeper kerberos key keys kidd kind king kings kirk kitchen kitty knight
    knot knox kotlin lace lad lady lake lamb lance land lane large lark last laurel law lawless lawn laws
    lawyer leach leaf lean leap ledger lee legend lemon lent leo lets level liberty light lightly lilac lily
    lime lincoln linden line link lion lip list little livery lock locke locker lodge london long lord lot
    lotus love loveless lovely lover low lowe lua lucky luna lung lynch lyre lyric mac mace mackerel madden
    madison maiden maize major male mallet man manly manor maple marble march mare maria marina marine mark
    marker market marks mars marsh marshal marshall marten martin mason mast master mat match mate matt
    maven max may mead meadow mean means mel melody melon mercer merchant mercurial mercury mercy merit
    merry mick mickey might mild mile miles mill miller mills mine minor mint mistral misty mitten mojo mole
    monday moody moon moor moore morrow moss mountain mouse muse music nail nan nash nation neal neat neck
    neon nero nest nettle new newbie newell nick night nightly nile nip noble noel noon north nova novel
    november oak oaks oats ocean october old olive olympia onyx opal oracle orange orchid otter outlaw owen
    owl ox pace page paige paint painter pal pam pan panda pandora paris park parker parks parrot parsley
    parson parsons pascal pass past pat patch patience patient patty peace peach peacock peak pear pearl
    pearson peck pen penny pepper perch perl perry peter petit petty phoenix piano pick pickle pie pierce
    pigeon pike pilgrim pilot pine pink pip piper pitt pitts pity pixel place plain plant plum poet point
    pole pollen pond pool poor pop pope poppy port porter post postman pot potter pound powder powers
    precious presley price pride priest prime prince princess prior prometheus proper proud prudence puck
    pug purdy python queen quick quill quince rabbit race rain raines ram ranger rankin rape rather raven
    ray read reader real rebel reckless reed reef reign rest reward rex rhyme rice rich riddle rider right
    ring rise river rivers road roads rob robe robin rock rocket rocky rod roll roman romance romeo rook
    root rope rosa rose rosemary roses roth rough round rover rowan rowdy rowing ruby rue ruff rule runner
    rush russell russet rust rustle rusty ruth rye sable saddler safari saffron sage sailor sal sale salmon
    salt sam samson sand sandy sapiens sapphire saturday saturn savage savannah sawyer scala scarlet scholar
    scout scratch sea seaborn seal sears self selfie september serene sergeant service sexton shade shakes
    shark sharp shaw sheila shell shepherd sheridan shield shine shore short shrub sibyl sick sidney sierra
    silk silver simple singer sire siri skinner skip sky slack slade slater sleek slick sloan slow small
    smart smiley smith snap snow snyder sol solaris soldier song sonny sorrel south spark sparks sparrow
    spear spencer spice spicer spike spirit spring springer sprout spud squire stable stacy staff stamp star
    stark starling starr start state steel stein step sterling stern stew stewart still stock stone storm
    stormy story stout strange straw stream street strong stroud stuart sue summer summers sun sunday sunny
    sunshine surrey swagger swain swallow swan sweet swift sword sydney tab table tailor tall tandy tanner
    tate tatum tawny taylor teal ted temper temperance temple tennis tex texas thatcher thor thorn thrift
    thursday thyme tide tiffany tiger tiller tim timber time tin titan toby toddy tom tommy tony topaz tor
    town townsend tracer trader trail trainer travers treasure tree trello trench trick trinity trip trout
    true truelove truly trump trust truth tucker tuesday tulip turk turner twain twist tyler underwood unity
    urban vale valley van vane vanilla vector vega velvet venus verity vic vice victor victory vine viola
    violet virgin virginia virtue vivid vulcan wade wage wales walk walker wall walls walnut walter wanda
    wander ward warden ware warner warren wash washer washington waters watt watts way weal wealth weaver
    webb wednesday weed week welcome well wells welsh west western wheat wheel wheeler whistler white
    whitman wick wild wilder will willing willow wills wind winds wine wing winner winter winters wise wish
    wit wolf wolfe wood woods woody word words worth wren wright xavier yale yard york young yule zen zephyr
    zeus
    """
_GERMAN: Final = """
    acker adler ahorn albrecht alt anker apfel arm bach bader bauer baum baumann beck becker berg bergmann
    bettler birke bischof blau blum blume bock boden brand brandt braun breit brenner brief brunnen brücke
    buch busch bär böhm dorn drechsler eder ehe ehrlich eiche eis engel erbse ernst esel essig eule falk
    falke faust feder feld fels fest feuer fink finke fischer fleischer fleischmann fluss forst frank frei
    freitag freud freund frieden frosch frost fröhlich fuchs fuhrmann färber förster fürst gans garten geier
    geiger geist gerber gerst gold graf grau greif groß grün gut gärtner haar haas haase hahn hammer hase
    haupt haus heide heil heiland heilig heim held hell henne herbst hering hermann herz herzog heu himmel
    hirsch hirt hof hoffmann hofmann holz honig horn huber huf hummel hund hut igel jung junge jäger kaiser
    kaiserin kalb kamm kammer kater kaufmann keil keller kern kessel kind kirch kirsch klee klein klinge
    knecht knopf koch kohl kopf korb korn kraft kranz kraus krause krebs kreuz krieg krieger kron krone krug
    krämer kuhn kunst kurz köhl köhler könig lamm land lang lange lehmann lehrer leib licht lieb liebe
    lieber linde lorenz luft lustig löffel löwe mai maier maler markt marx maurer maus mehl meier meister
    mensch metzger mohr mond montag morgen mut mönch mühle müller münch münz nacht nagel neu neumann nuss
    ochs ochse ofen ost otter pabst papst pfaff pfeffer pfeifer pfeiffer pfennig pflug pilz probst rabe
    raben rau rauch rebe reich rein reis reiter rettich richter riegel riese rind ring ritter rose rosen rot
    roth ruhe rund rücker sachs salz sand sattler sauer scharf schatz schenk schild schiller schilling
    schlecht schlosser schmal schmid schmidt schmied schneider schnell scholz schreiber schreiner schröder
    schubert schuh schulz schulze schuster schwab schwan schwarz schäfer schäffer schön schütz seemann
    seifert seiler selig siegel silber simon singer sommer sonne sonntag specht speck sperling spiegel spitz
    spring stahl stark stein stern still stock stolz storch strauß streit strom stumpf stur sturm süß tanz
    taube teich teufel tisch topf traub traube träger tuch urban vater veit vogel vogler vogt voll wagner
    wald walter wand weber weg wegener weide wein weise weiss weiter weiß wende werner west widder wiese
    wild winkler winter wirt witz wolf wolff wolke wunder wunderlich wurm zahn zander zeller ziegler zimmer
    zimmermann zorn zucker
    """
_ROMANCE: Final = """
    abad abril agosto aimé alba alegre amado ambre amor amparo ange arce areia arena arroyo assunção
    asunción aurora aurore aveia avelã avril azevedo azul barba barbosa barca baron barreto barros bas
    batista baía beau beaumont bela belle bello bento berger besson blanc blanca blanche blanco blond blé
    boa bois boisson bom bon bonito borges bosque boucher boulanger boulay bourgeois boutin braga branca
    branco bravo brito brun bruno bueno bureau bárbara caballero cabello cabra cabral cabrera cachoeira
    caldas calderón calle calme calvo camelo camille camino campo campos cano cantor capela cardoso caridad
    carmen carmona carneiro caron carrasco carrera carrillo carré carvalho casa casal casas castaño castillo
    castro celeste cerda cerezo cerf chaise champ champs chardon charme charpentier chat chauvin chaves chef
    cheval chevalier chevreuil châtaigne château chèvre chêne cielo clair claire clara claro clavel clerc
    clé clément coelho colombe colón conceição concepción constance consuelo copain coq corbeau cordeiro
    cordero cordier coroa corona correia corte cortés corvo costa coste coutinho couto couturier cravo
    crespo cruz crépin cuesta cueva cuisinier cunha câmara céleste céu daim dame dauphin delgado deschamps
    diamante diego dimanche doble dolores domingo doré douce dourado doux droit dubois duc dumoulin dupont
    duque dur désiré encarnación enero esperanza espino espinosa espérance esteves estrela estrella falcão
    faria farias faucon faure fauré fe feijó feliz ferme ferrand ferreira ferrer fier figueira figueiredo
    fille fleur fleury flor flora flores floresta florin folha fonseca fontaine fonte fontes forestier
    formosa fort forte fortin fortuna fournier frais franc franco françois freire freitas froid fuente
    fuentes fève gallego gallo galo garcia garnier garza garçon gato gauche gentil gilet girão gland gloria
    glória godinho gracia grand grandet grange gras graça grenier gris gros guapo guerra guerrero guerrier
    gérard haie hardi haro herbe hermoso herrera herrero heureux hidalgo hierro hiver houx hoyos hoz huit
    hus iglesia iglesias inmaculada inverno jacinthe jade janeiro jardin jardín jasmin jazmín jesús jeune
    joie joli jolie joly joyeux juillet juin julia julio junio juste justo labbé lacerda lacroix lafleur
    lage lago lagoa lajoie lambert lamoureux lamy lapa lapin large largo laurel laurier laval lavande leal
    leblanc lebon lebrun leclerc lefort legrand legros leite lejeune lemaire leme lenoir lent lerouge leroux
    leroy leão león libertad lilas lima lirio lis lièvre llanos lluvia lobo loma lombardo lopes loup lozano
    lua lucero lucía luna lune luz léger lírio machado macías madeira madera maestro magno mai maia maire
    maison manso mar marca marchand marché marco mardi margarita marguerite marie marin marine marion
    marques mars martin marzo marín mas mata matin matos mayo mayor maître meira mejía mel melena melo mena
    mendonça mercado merced mercedes mercier merle mesa mesquita meunier milagro milagros mimosa mina
    miranda moine moineau molina molinero mont montagne montaña monte monteiro montes mora moraes morales
    moreau moreno morin moro mota moulin moura mourão mouton muguet muñoz mármol márquez naranjo nascimento
    navarro negro neige neto neuf nevado neves nieve nieves nobre noche nogueira noir noronha nouveau novais
    novo noyer noël nunes océane oiseau oliva olive oliveira olivo olmo orge orme oro ortiga otero ouro ours
    outeiro pacheco padilla page pain paixão paja palacio palha palma palmeira paloma palomo pan pape pardo
    paredes parfait paris parreira pascal pastel pastor patience patrón paz pedra pedreira pedrosa peixoto
    pelayo pelletier pena penha peral pereira perla perle perrin pessoa petit petite peña phare piedad
    piedra pierre pilar pimenta pin pinheiro pino pinson pinto pires pivoine plage plata plaza poeta poirier
    poisson poivre pomba pomme pommier ponce pont ponte porte portela portero porto poulain poule pozo prado
    prairie prata prazeres prieto prieur prima primavera prince printemps prune prunelle prévost puente
    puerta puerto pêcheur pêra queiroz queirós quesada quinta rainha raisin ramalho ramos rana raposo rat
    real rebelo redondo refugio rego reina reine reis renard renaud rey reyes ribeiro ribera riche rico rios
    rivera rivière robe roble robles roca rocha roche rocher rocío roda roi rojas rojo roldán romarin romero
    romão ronce rond roque rosa rosado rosal rosales rosario rosier rossignol rouge rousseau roux roy royal
    royer rubio rubí rueda ruiz río ríos sabino sabio sage saison sal salas sales salgado salvador samedi
    sampaio san santa santana santiago santo santos saraiva sastre sauvage savoir seara seigneur serein
    serge serin serpa serra serrano severo sierra silva silveira simões soares sobral sol soledad soleil
    soler soto souris sousa sureau suárez sá tailleur tanche tavares teixeira tejada tejedor teles terra
    tessier thé tierra tilleul tinto tissot tonnelier toro torre torres tourneur trigo trindade trèfle
    tulipe vaca vache vale valente valle vallée valois valverde varela vargas vaz vega veiga vela velho
    vendredi vera verde verdier verger verne vert verão viana vicario vicente victoria vidal vieira viejo
    viento vieux vigne vigneron ville vinhas violeta violette virtudes vitória viveiros vivien vivo viña
    voisin zapata zapatero zorro zurdo ángel ángela étoile íris
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
