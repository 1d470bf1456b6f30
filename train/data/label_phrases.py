"""How product labels say what a number is, in eight languages."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LANGUAGES", "SCRIPTS", "Language"]

Phrases = tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """Words of one language; `{}` stands for a number with its unit.

    Attributes:
        point, thousands: what separates decimals and thousands.
        phrases: by entity, how labels introduce its value.
        distractors: by entity, what labels say of amounts in its units that are no answer: gross and drained weight,
            doses, what a lamp replaces.
        axes: words for width, depth and height. letters: for the same, where they mean nothing else.
        packs: how labels say how many there are of one size, with {count} and {size}.
    """

    point: str
    thousands: str
    phrases: Mapping[str, Phrases]
    distractors: Mapping[str, Phrases]
    axes: tuple[Phrases, Phrases, Phrases]
    letters: tuple[str, str, str] | None
    packs: Phrases


_ENGLISH = Language(
    ".",
    ",",
    {
        "item_weight": (
            "Net Wt {}",
            "NET WEIGHT {}",
            "Weight: {}",
            "Weight {}",
            "{} e",
            "Net contents {}",
            "Item weight {}",
            "{}",
        ),
        "maximum_weight_recommendation": ("Max load {}", "Supports up to {}", "Weight capacity: {}", "Holds {}"),
        "voltage": ("Input: {}", "Voltage {}", "AC {}", "Rated voltage: {}", "{}"),
        "wattage": ("Power {}", "Rated power: {}", "{} LED", "{}"),
        "item_volume": ("Volume {}", "Net contents {}", "{} bottle", "Capacity: {}", "{}"),
    },
    {
        "item_weight": (
            *("Gross weight {}", "Drained weight {}", "Tare {}", "Serving size {}", "Protein {} per serving"),
            *("{} per tablet", "Sugars {}", "Each capsule contains {}"),
        ),
        "voltage": ("Output: {}", "USB {}"),
        "wattage": ("Replaces {}", "= {} incandescent", "Equivalent to {}", "{} equivalent"),
        "item_volume": ("Serving size {}", "Dose: {}", "per {}", "Dilute in {} water"),
        "width": ("Cable {}", "Hose length: {}", "Fits walls from {}"),
    },
    (("Width",), ("Depth", "Length"), ("Height",)),
    ("W", "DL", "H"),
    ("{count} x {size}", "{count} pack of {size}", "{count} - {size} bars", "{count} bottles of {size}"),
)
_GERMAN = Language(
    ",",
    ".",
    {
        "item_weight": ("Nettogewicht {}", "Netto: {}", "Gewicht: {}", "Gewicht {}", "Füllmenge {}", "Eigengewicht {}"),
        "maximum_weight_recommendation": ("Max. Belastung {}", "Tragkraft {}", "Belastbar bis {}", "Traglast: {}"),
        "voltage": ("Spannung {}", "Nennspannung: {}", "Eingang {}", "Netzspannung {}"),
        "wattage": ("Leistung {}", "Nennleistung: {}", "Leistungsaufnahme {}"),
        "item_volume": ("Inhalt {}", "Füllmenge: {}", "Volumen {}", "Fassungsvermögen {}"),
    },
    {
        "item_weight": ("Abtropfgewicht {}", "Bruttogewicht {}", "Tara {}", "Portion {}", "Eiweiß {}", "{} pro Kapsel"),
        "voltage": ("Ausgang {}",),
        "wattage": ("ersetzt {}", "entspricht {}", "= {} Glühlampe"),
        "item_volume": ("pro {}", "Dosierung: {}", "Portion {}"),
        "width": ("Kabel {}", "Schlauch {}"),
    },
    (("Breite",), ("Tiefe", "Länge"), ("Höhe",)),
    ("B", "TL", "H"),
    ("{count} x {size}", "{count} Flaschen je {size}", "{count} Beutel à {size}"),
)
_FRENCH = Language(
    ",",
    " ",
    {
        "item_weight": ("Poids net {}", "Poids : {}", "Poids {}", "Poids net total {}", "Contenu net {}"),
        "maximum_weight_recommendation": ("Charge max. {}", "Charge maximale {}", "Supporte jusqu'à {}"),
        "voltage": ("Tension {}", "Alimentation {}", "Entrée : {}"),
        "wattage": ("Puissance {}", "Puissance nominale : {}"),
        "item_volume": ("Contenance {}", "Volume net {}", "Contenu : {}", "Capacité {}"),
    },
    {
        "item_weight": ("Poids net égoutté {}", "Poids brut {}", "Tare {}", "par portion de {}", "Protéines {}"),
        "voltage": ("Sortie : {}",),
        "wattage": ("équivaut à {}", "remplace {}", "équivalent {}"),
        "item_volume": ("pour {}", "Dose : {}", "par portion de {}"),
        "width": ("Câble {}", "Tuyau {}"),
    },
    (("Largeur", "larg."), ("Profondeur", "prof.", "Longueur"), ("Hauteur", "haut.")),
    None,
    ("{count} x {size}", "{count} bouteilles de {size}", "{count} sachets de {size}"),
)
_SPANISH = Language(
    ",",
    ".",
    {
        "item_weight": ("Peso neto {}", "Peso: {}", "Peso {}", "Contenido neto {}", "Peso del producto {}"),
        "maximum_weight_recommendation": ("Carga máxima {}", "Soporta hasta {}", "Carga máx. {}"),
        "voltage": ("Voltaje {}", "Tensión {}", "Entrada: {}"),
        "wattage": ("Potencia {}", "Potencia nominal: {}"),
        "item_volume": ("Contenido {}", "Contenido neto {}", "Capacidad: {}", "Volumen {}"),
    },
    {
        "item_weight": ("Peso escurrido {}", "Peso bruto {}", "Tara {}", "Porción {}", "Proteínas {}"),
        "voltage": ("Salida: {}",),
        "wattage": ("equivale a {}", "sustituye {}", "reemplaza {}"),
        "item_volume": ("Dosis: {}", "por {}", "Porción {}"),
        "width": ("Cable {}", "Manguera {}"),
    },
    (("Ancho",), ("Fondo", "Profundidad", "Largo"), ("Alto", "Altura")),
    None,
    ("{count} x {size}", "{count} unidades de {size}", "{count} botellas de {size}"),
)
_ITALIAN = Language(
    ",",
    ".",
    {
        "item_weight": ("Peso netto {}", "Peso: {}", "Peso {}", "Contenuto netto {}", "Peso del prodotto {}"),
        "maximum_weight_recommendation": ("Portata max. {}", "Carico massimo {}", "Portata {}"),
        "voltage": ("Tensione {}", "Alimentazione {}", "Ingresso: {}"),
        "wattage": ("Potenza {}", "Potenza nominale: {}"),
        "item_volume": ("Contenuto {}", "Capacità: {}", "Volume {}"),
    },
    {
        "item_weight": ("Peso sgocciolato {}", "Peso lordo {}", "Tara {}", "Porzione {}", "Proteine {}"),
        "voltage": ("Uscita: {}",),
        "wattage": ("equivale a {}", "sostituisce {}"),
        "item_volume": ("Dose: {}", "per {}", "Porzione {}"),
        "width": ("Cavo {}", "Tubo {}"),
    },
    (("Larghezza",), ("Profondità", "Lunghezza"), ("Altezza",)),
    None,
    ("{count} x {size}", "Conf. {count} pz da {size}", "{count} bottiglie da {size}"),
)
_PORTUGUESE = Language(
    ",",
    ".",
    {
        "item_weight": ("Peso líquido {}", "Peso: {}", "Peso {}", "Conteúdo líquido {}", "Peso do produto {}"),
        "maximum_weight_recommendation": ("Carga máxima {}", "Suporta até {}", "Carga máx. {}"),
        "voltage": ("Tensão {}", "Voltagem {}", "Entrada: {}"),
        "wattage": ("Potência {}", "Potência nominal: {}"),
        "item_volume": ("Conteúdo {}", "Capacidade: {}", "Volume {}"),
    },
    {
        "item_weight": ("Peso escorrido {}", "Peso bruto {}", "Tara {}", "Porção {}", "Proteínas {}"),
        "voltage": ("Saída: {}",),
        "wattage": ("equivale a {}", "substitui {}"),
        "item_volume": ("Dose: {}", "por {}", "Porção {}"),
        "width": ("Cabo {}", "Mangueira {}"),
    },
    (("Largura",), ("Profundidade", "Comprimento"), ("Altura",)),
    None,
    ("{count} x {size}", "{count} pacotes de {size}", "{count} garrafas de {size}"),
)
_DUTCH = Language(
    ",",
    ".",
    {
        "item_weight": ("Nettogewicht {}", "Gewicht: {}", "Gewicht {}", "Netto inhoud {}", "Productgewicht {}"),
        "maximum_weight_recommendation": ("Max. belasting {}", "Draagkracht {}", "Draagt tot {}"),
        "voltage": ("Spanning {}", "Netspanning: {}", "Ingang {}"),
        "wattage": ("Vermogen {}", "Nominaal vermogen: {}"),
        "item_volume": ("Inhoud {}", "Netto inhoud: {}", "Volume {}"),
    },
    {
        "item_weight": ("Uitlekgewicht {}", "Brutogewicht {}", "Tarra {}", "Portie {}", "Eiwitten {}"),
        "voltage": ("Uitgang {}",),
        "wattage": ("vervangt {}", "komt overeen met {}"),
        "item_volume": ("Dosering: {}", "per {}", "Portie {}"),
        "width": ("Kabel {}", "Slang {}"),
    },
    (("Breedte",), ("Diepte", "Lengte"), ("Hoogte",)),
    ("B", "DL", "H"),
    ("{count} x {size}", "{count} blikjes van {size}", "{count} zakjes van {size}"),
)
_POLISH = Language(
    ",",
    " ",
    {
        "item_weight": ("Masa netto {}", "Waga: {}", "Waga {}", "Masa {}", "Waga produktu {}"),
        "maximum_weight_recommendation": ("Maks. obciążenie {}", "Udźwig {}", "Nośność: {}"),
        "voltage": ("Napięcie {}", "Zasilanie: {}", "Wejście {}"),
        "wattage": ("Moc {}", "Moc znamionowa: {}"),
        "item_volume": ("Pojemność {}", "Zawartość: {}", "Objętość {}"),
    },
    {
        "item_weight": ("Masa po odcieku {}", "Masa brutto {}", "Tara {}", "Porcja {}", "Białko {}"),
        "voltage": ("Wyjście {}",),
        "wattage": ("zastępuje {}", "odpowiada {}"),
        "item_volume": ("Dawka: {}", "na {}", "Porcja {}"),
        "width": ("Kabel {}", "Wąż {}"),
    },
    (("Szerokość", "szer."), ("Głębokość", "gł.", "Długość"), ("Wysokość", "wys.")),
    None,
    ("{count} x {size}", "{count} puszki po {size}", "{count} saszetek po {size}"),
)

LANGUAGES = (_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN, _PORTUGUESE, _DUTCH, _POLISH)
"""English first."""

SCRIPTS: Mapping[str, Phrases] = {
    "CYRILLIC": ("чайник", "полка", "крупа", "масса нетто", "новый"),
    "GREEK": ("ελαιόλαδο", "βραστήρας", "καθαρό βάρος"),
    "ARABIC": ("أرز", "قهوة", "غلاية كهربائية", "الوزن"),
    "DEVANAGARI": ("चावल", "चाय", "केतली", "शुद्ध वजन"),
    "THAI": ("ข้าว", "น้ำมัน", "กาต้มน้ำ"),
    "HANGUL": ("고추장", "주전자", "쌀"),
    "KATAKANA": ("味噌", "ケトル", "内容量"),
    "CJK": ("大米", "电饭煲", "净重"),
}
"""Words of titles in other scripts, by the first word of the Unicode names of their characters."""
