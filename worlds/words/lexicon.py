"""The words of goals: which word plays which part in a sentence, and what the things of a kitchen are called."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from hiermap.worlds.words.seen import COLOURS

CALLED: Mapping[str, str] = MappingProxyType(
    {
        "mug": "mug cup beaker",
        "bowl": "bowl dish",
        "can": "can tin",
        "pot": "pot saucepan pan",
        "box": "box carton package packet",
        "drawer": "drawer",
        "cabinet": "cabinet cupboard door",
        "latched": "latched cabinet cupboard door",
        "sliding": "sliding door cabinet cupboard",
        "oven": "oven door",
        "microwave": "microwave door",
        "knob": "knob dial burner stove hob cooker",
        "burner": "burner stove hob hotplate knob",
        "tap": "tap faucet water",
        "switch": "switch light lamp",
        "latch": "latch bolt",
        "board": "board cutting chopping",
        "cup": "cup mug",
        "dish": "dish bowl",
        "tin": "tin can",
        "saucepan": "saucepan pot pan",
        "pan": "pan saucepan pot",
        "carton": "carton box",
        "cupboard": "cupboard cabinet door",
        "faucet": "faucet tap water",
        "light": "light lamp switch",
        "lamp": "lamp light switch",
        "stove": "stove burner hob cooker",
        "hob": "hob burner stove cooker",
    }
)
"""Word of a thing's name -> everything that such a thing is called; a word that is not here is called itself."""
LOCKED_BY = {"latch": "latch bolt lock latched cabinet cupboard door"}
"""What a latch is called where something is locked or unlocked."""
PLACES = {"top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom", "left": "left", "right": "right", "middle": "middle"}
"""Word -> where a thing is among those of its kind; centre is not here, for nothing says of what."""
DISTANCES = {"nearest": "nearest", "closest": "nearest", "farthest": "farthest", "furthest": "farthest"}
AXES = {"left": "x", "right": "x", "top": "y", "upper": "y", "bottom": "y", "lower": "y"}
"""What speaks of the same axis excludes each other; everything else is of one kind too."""
HUE_WORDS = {name: name for name in COLOURS} | {"gray": "grey", "violet": "purple", "teal": "turquoise", "cyan": "turquoise"}
ATTRIBUTES: Mapping[str, str] = MappingProxyType(PLACES | DISTANCES | HUE_WORDS)
"""Word -> what it says of a thing."""

FOLDED = (
    (r"(?<=\w)n['’]t\b", " not"),
    (r"\b(do|does|is|are|should|must|would|could)nt\b", r"\1 not"),
    (r"\bcannot\b", "can not"),
    (r"\bca not\b", "can not"),
    (r"\bwo not\b", "will not"),
    (r"(?<!not )\bremember to\b|\bdo not forget to\b", ""),
    (r"\b(i)['’]d\b", r"\1 would"),
    (r"\b(it|that)['’]s\b", r"\1 is"),
    (r"\blet['’]s\b", ""),
    (r"['’]s\b", ""),
    (r"\bright[- ]hand\b", "right"),
    (r"\bleft[- ]hand\b", "left"),
    (r"(?<=\w)-(?=\w)", " "),
    (r"\b(make|making|be) (sure|certain)\b", "ensure"),
    (r"\bsee to it\b", "ensure"),
    (r"\bno longer\b", "not"),
    (r"\b(on(to)?|to) (the )?top of\b", "onto"),
    (r"\b(cabinet|cupboard|door) with (the|a|its) latch\b", r"latched \1"),
    (r"\binside of\b", "inside"),
    (r"\bhot plate", "hotplate"),
    (r"\bas well as\b", "and"),
    (r"\bwould (like|love|prefer)\b", "want"),
    (r"\bget (a )?hold of\b", "grab"),
    (r"\bhold on to\b", "hold"),
    (r"\bwhen you are (done|finished|ready)\b|\bfor me\b|\bgo ahead and\b|\bthank you\b", ""),
    (r"\ball the way\b", "completely"),
    (r"^first( of all)?\b,?|\bfirst(?=\s*([,;.]|then\b|and\b|$))", ""),
)
"""Patterns and what stands for them, in this order: contractions, and several words that say what one does."""
EMPTY = frozenset(["please", "kindly", "also", "thanks", "hey", "hi"])
"""Words without which a goal says the same."""
MANNERS = frozenset(["just", "now", "again", "finally", "afterwards", "completely", "fully", "quickly", "carefully", "gently", "too"])
"""So are these, but not beside a "not": "not completely closed" is not "not closed"."""
DENIALS = frozenset(["not", "never", "no", "neither"])

_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "DET": "the a an my your our its",
        "THIS": "this that those these",
        "ALL": "all every each",
        "BOTH": "both two",
        "ANY": "any",
        "NO": "no neither",
        "OF": "of",
        "NOT": "not never",
        "SIDE": "side",
        "HAND": "hand hands gripper",
        "ONE": "one",
        "IT": "it",
        "THEM": "them they",
        "LEFT": "left",
        "WITH": "with",
        "OPEN": "open opening",
        "OPENED": "opened",
        "CLOSE": "close closing",
        "CLOSED": "closed",
        "SHUT": "shut shutting",
        "ON": "on",
        "OFF": "off",
        "OUT": "out",
        "UP": "up",
        "DOWN": "down",
        "AWAY": "away",
        "IN": "in into inside",
        "ONTO": "onto",
        "AT": "at",
        "TO": "to",
        "TURN": "turn flip flick click turning",
        "TURNED": "turned switched flipped",
        "SWITCH": "switch switching",
        "START": "start activate ignite starting",
        "RUN": "run running",
        "LIGHT": "light",
        "GOING": "going lit burning active",
        "STOP": "stop kill deactivate extinguish stopping",
        "PULL": "pull pulling",
        "SLIDE": "slide swing sliding",
        "PUSH": "push pushing",
        "PICK": "pick picking",
        "GRASP": "grab take hold lift grip grasp grabbing taking holding lifting",
        "HELD": "held grasped gripped",
        "GET": "get",
        "HAS": "has",
        "HAVE": "have",
        "LET": "let",
        "KEEP": "leave keep leaving keeping",
        "PUT": "put place set putting placing setting",
        "STOW": "stow store stash move drop lay insert stick storing moving dropping",
        "PLACED": "placed stored stowed standing sitting resting lying",
        "STAND": "stand sit rest stands sits rests lie lies",
        "GO": "go goes belong belongs",
        "UNLOCK": "unlock undo release unlatch unfasten unbolt unlocking",
        "UNLOCKED": "unlocked undone released unlatched unfastened unbolted",
        "LOCK": "lock fasten bolt",
        "LATCH": "latch",
        "LOCKED": "locked fastened bolted",
        "MODAL": "should must shall",
        "BE": "be",
        "IS": "is are",
        "NEED": "need needs has have",
        "STAY": "stay remain stays remains",
        "ENSURE": "ensure check verify",
        "THAT": "that",
        "WANT": "want need wish like",
        "I": "i we",
        "YOU": "you",
        "ROBOT": "robot arm",
        "CAN": "can could would will",
        "MIND": "mind",
        "DO": "do does",
    }
)
"""Part in the grammar -> its words; a word may play several."""
AND, COMMA, PAUSES = ("and", "&"), ",", (";", ".", ":", "!", "then", "but")
"""What stands between clauses; only the first two join things, and none says in which order."""
NOUN, NOUNS, ATTRIBUTE, NAME, NEW = "NOUN", "NOUNS", "ATTRIBUTE", "NAME", "NEW"
"""A word for things, its plural, an attribute, a name as it is listed, and a word that nobody knows."""


def _parts() -> dict[str, tuple[str, ...]]:
    parts: dict[str, tuple[str, ...]] = {}
    for role, words in _ROLES.items():
        for word in words.split():
            parts[word] = (*parts.get(word, ()), role)
    for word in ATTRIBUTES:
        parts[word] = (*parts.get(word, ()), ATTRIBUTE)
    return parts


PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(_parts())
"""Word -> every part that it can play, without those of things."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name as it is listed: "left_drawer_1" has three, "mug2" two."""
    return tuple(re.findall(r"[^\W\d_]+|\d+", name.lower()))


def called(name: str, extra: Mapping[str, str] = MappingProxyType({})) -> frozenset[str]:
    """Every noun for a thing of that name; `extra` are further nouns by word of the name."""
    own = [word for word in words_of(name) if word not in ATTRIBUTES and not word.isdigit()]
    return frozenset(noun for word in own for noun in f"{CALLED.get(word, word)} {extra.get(word, '')}".split())


def nouns(names: Iterable[str]) -> frozenset[str]:
    """Every noun of the lexicon and of the names."""
    return frozenset().union(*(called(name, LOCKED_BY) for name in (*CALLED, *names)))


def singular(word: str, known: frozenset[str]) -> str | None:
    """The noun whose plural the word is, or None."""
    forms: Sequence[str] = (word.removesuffix("es"), word.removesuffix("s"), word.removesuffix("ves") + "f")
    return next((form for form in forms if form != word and form in known), None)
