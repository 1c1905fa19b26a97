"""From phrases to names: which of the things that can fill a place in a goal is meant, by what is seen of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.words.lexicon import ATTRIBUTES, called, singular, words_of
from hiermap.worlds.words.phrases import BOTH, ONE, Phrase
from hiermap.worlds.words.seen import Seen, Things
from hiermap.worlds.words.tagging import words

SAME_SHARE = 1 / 16
"""Things of a kind whose places differ by less than this share of the picture stand in one row or column."""
CLEAR_GAP = 1 / 3
"""And those whose gap is less than this share of the widest among them: of two on the left and one far right, none is the left one."""
SAME_M = 0.03
"""Things whose distances differ by less than this are equally near [m]."""
LITTLE_WORDS = ("of", "the")


def grounded(phrase: Phrase, fitting: Sequence[str], things: Things, extra: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
    """The names that a phrase means.

    Args:
        fitting: names of what can be meant.
        things: everything that is seen.
        extra: further nouns by word of a name.

    Raises:
        ConfigError: it means none, or more than it says; the message lists the candidates.
    """
    if phrase.name in fitting:
        return (phrase.name,)
    named = [name for name in fitting if phrase.count == ONE and _is_just(phrase, things.called.get(name, ""))]
    if len(named) == 1:
        if named[0] not in things:
            raise ConfigError(f"{listed(named, things)} cannot be asked for; candidates are {listed(fitting, things)}")
        return tuple(named)
    kind = [name for name in fitting if name in things and _is_called(name, phrase.nouns, extra)] if phrase.nouns else []
    if not kind:
        raise ConfigError(f"nothing that fits is called {str(phrase)!r}; candidates are {listed(fitting, things)}")
    found = [name for name in kind if list(words_of(name)) == [*phrase.attributes, *phrase.nouns]] or _chosen(phrase, kind, things)
    if not found:
        raise ConfigError(
            f"no {' '.join(phrase.nouns)} is seen that is {' and '.join(phrase.attributes)}; candidates are {listed(kind, things)}"
        )
    if phrase.count == ONE and len(found) > 1:
        raise ConfigError(f"which {phrase}: {listed(found, things)}?")
    if phrase.count == BOTH and len(found) != 2:
        raise ConfigError(f"expected two of {phrase}, got {listed(found, things)}")
    return tuple(found)


def listed(names: Sequence[str], things: Things) -> str:
    """What things are called, with their names, where they are seen unless that was said, and in which colour."""
    return ", ".join(_told(name, things) for name in names) or "none"


def _told(name: str, things: Things) -> str:
    known = things.called.get(name, name)
    look = ["hardly seen"]
    if name in things:
        where = _where(things[name], things) if tuple(known.split()) == words_of(name) or known == name else ""
        look = [where, *things[name].colours[:1]]
    return f"{known} ({', '.join(filter(None, [name if known != name else '', *look]))})"


def _is_just(phrase: Phrase, known: str) -> bool:
    """Whether a phrase says what a thing is called, in whatever order its attributes."""
    said = [word for word in words(known, ()) if word not in LITTLE_WORDS]
    nouns = tuple(word for word in said if word not in ATTRIBUTES)
    return bool(nouns) and phrase.nouns == nouns and _attributes(phrase.attributes) == _attributes(w for w in said if w in ATTRIBUTES)


def _attributes(said: Iterable[str]) -> list[str]:
    return sorted(ATTRIBUTES[word] for word in said)


def _where(thing: Seen, things: Things) -> str:
    down, across = (_third(measure, thing, things) for measure in (_row, _column))
    return {(1, 1): "middle"}.get((down, across), f"{('upper', '', 'lower')[down]} {('left', '', 'right')[across]}".strip())


def _third(measure: Callable[[Seen], float], thing: Seen, things: Things) -> int:
    low, high = _ends(measure, things)
    return 1 if high == low else min(int(3 * (measure(thing) - low) / (high - low)), 2)


def _ends(measure: Callable[[Seen], float], things: Things) -> tuple[float, float]:
    values = [measure(thing) for thing in things.values()]
    return min(values), max(values)


def _is_called(name: str, nouns: Sequence[str], extra: Mapping[str, str]) -> bool:
    known = called(name, extra)
    return all(noun in known or singular(noun, known) for noun in nouns)


def _chosen(phrase: Phrase, kind: Sequence[str], things: Things) -> list[str]:
    """Those of a kind that have every attribute: colours first, then columns, rows and nearness among what is left."""
    left = list(kind)
    for attribute in sorted(
        (ATTRIBUTES[word] for word in phrase.attributes), key=lambda word: list(_CHOICES).index(word) if word in _CHOICES else -1
    ):
        if attribute in _CHOICES:
            left = _CHOICES[attribute](left, kind, things)
        else:
            left = [name for name in left if attribute in things[name].colours]
    return left


Choice = Callable[[Sequence[str], Sequence[str], Things], list[str]]


def _extreme(measure: Callable[[Seen], float], same: float, last: bool) -> Choice:
    """The first or last group; a single thing may not stand at the other end of its kind or, alone of its kind, of the picture."""

    def choose(left: Sequence[str], kind: Sequence[str], things: Things) -> list[str]:
        if len(left) > 1:
            return _groups(left, measure, same, things)[-1 if last else 0]
        groups = _groups(kind, measure, same, things)
        if len(groups) > 1:
            return [name for name in left if name not in groups[0 if last else -1]]
        middle = sum(_ends(measure, things)) / 2
        return [name for name in left if (measure(things[name]) - middle) * (1 if last else -1) > same]

    return choose


def _middle(left: Sequence[str], kind: Sequence[str], things: Things) -> list[str]:
    """The middle of three or more columns, or of three or more rows; it is not clear which if there are both."""
    every = (_groups(left, _column, SAME_SHARE, things), _groups(left, _top, SAME_SHARE, things))
    odd = [groups for groups in every if len(groups) > 2 and len(groups) % 2]
    return odd[0][len(odd[0]) // 2] if len(odd) == 1 else []


def _groups(names: Sequence[str], measure: Callable[[Seen], float], same: float, things: Things) -> list[list[str]]:
    """Names by rising measure, in groups with gaps between them of more than `same` and `CLEAR_GAP` of the widest."""
    ordered = sorted(names, key=lambda name: measure(things[name]))
    gaps = [measure(things[after]) - measure(things[before]) for before, after in pairwise(ordered)]
    least, groups = max([same, *(CLEAR_GAP * gap for gap in gaps)]), [ordered[:1]]
    for name, gap in zip(ordered[1:], gaps, strict=True):
        if gap > least:
            groups.append([])
        groups[-1].append(name)
    return groups


def _column(thing: Seen) -> float:
    return thing.column


def _row(thing: Seen) -> float:
    return thing.row


def _top(thing: Seen) -> float:
    """An open drawer reaches far down, but begins where the shut one does."""
    return thing.top


def _distance(thing: Seen) -> float:
    return thing.distance


_CHOICES: Mapping[str, Choice] = {
    "left": _extreme(_column, SAME_SHARE, last=False),
    "right": _extreme(_column, SAME_SHARE, last=True),
    "top": _extreme(_top, SAME_SHARE, last=False),
    "bottom": _extreme(_top, SAME_SHARE, last=True),
    "middle": _middle,
    "nearest": _extreme(_distance, SAME_M, last=False),
    "farthest": _extreme(_distance, SAME_M, last=True),
}
"""Attribute -> how it chooses, in the order in which they are applied; the others are colours."""
