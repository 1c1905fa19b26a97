"""From clauses to predicates: what each can be said of, what was named before, and what shall hold at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import PREDICATES, Predicate
from hiermap.worlds.words.grounding import grounded, listed
from hiermap.worlds.words.lexicon import LOCKED_BY, called
from hiermap.worlds.words.phrases import AGAIN, ALL, ANY, BARE, BOTH, ONE, ORDER, THEM, Clause, Phrase
from hiermap.worlds.words.seen import Things

OPPOSITE = {"open": "closed", "on": "off", "unlocked": "locked"}
OPPOSITE |= {there: here for here, there in OPPOSITE.items()}
"""What has two ends is at the one when it shall not be at the other."""
TURNED_OPEN: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {"open": ("on", ("tap", "latch")), "closed": ("off", ("tap", "latch")), "unlocked": ("on", ("latch",)), "locked": ("off", ("latch",))}
)
"""Deed -> the predicate it means for things that are opened by being turned on, and what they are called."""
TURNED_BY_NAME = ("lock", "bolt")
"""A latch that goes by these names is locked or unlocked, not turned on: on means undone here, and people may mean the other."""
WORDS = {"held": "picked up", "inside": "put in", "on_top": "put on"}
Slot = Mapping[str, Predicate]


@dataclass
class _Reading:
    """Clauses read so far.

    Attributes:
        named: of each clause, the phrases and what they meant.
        found: predicates with whether they were told by what to do.
    """

    vocabulary: Sequence[Predicate]
    things: Things
    named: list[list[tuple[Phrase, tuple[str, ...]]]] = field(default_factory=list)
    found: list[tuple[Predicate, bool]] = field(default_factory=list)

    def read(self, clause: Clause) -> None:
        """Add what a clause says."""
        self.named.append([])
        deed = _deed(clause)
        places = self._names(clause.place, self._places(deed)) if clause.place else ()
        slot = self._slot(deed, places)
        for phrase in clause.subjects:
            names = self._names(phrase, slot, deed)
            if phrase.count in ((ALL, BOTH) if deed != clause.deed else (ANY,)) and len(names) > 1:
                raise ConfigError(
                    f"{phrase.count} {phrase} can mean some or every one of {listed(names, self.things)}; name those that are meant"
                )
            self.found += [(slot[name], clause.done) for name in names]

    def _places(self, deed: str) -> Slot:
        """Where things are put; "to" something means in it or on it, whichever can be."""
        return {p.arguments[1]: p for p in self.vocabulary if len(p.arguments) == 2 and deed in (p.kind, "whither")}

    def _slot(self, deed: str, places: Sequence[str]) -> Slot:
        """What the deed can be said of -> the predicate that says it."""
        if places:
            fitting = [p for p in self.vocabulary if p.arguments[1:] == tuple(places) and deed in (p.kind, "whither")]
            if len({p.kind for p in fitting}) != 1:
                raise ConfigError(f"expected one place, and in it or on it, got {listed(places, self.things)}")
            return {p.arguments[0]: p for p in fitting}
        slot = {p.arguments[0]: p for p in self.vocabulary if p.kind == deed}
        kind, words = TURNED_OPEN.get(deed, ("", ()))
        return slot | {p.arguments[0]: p for p in self.vocabulary if p.kind == kind and called(p.arguments[0]) & set(words)}

    def _names(self, phrase: Phrase, slot: Slot, deed: str = "") -> tuple[str, ...]:
        """What a phrase means where `slot` has to be filled; it is remembered."""
        if deed in ("on", "off") and set(phrase.nouns) & set(TURNED_BY_NAME):
            raise ConfigError(
                f"is {phrase} {deed} when it is locked or when it is not? Say locked or unlocked, of {listed(list(slot), self.things)}"
            )
        extra = LOCKED_BY if deed in ("locked", "unlocked") else {}
        if phrase.refers == AGAIN:
            phrase, names = self._another(phrase, slot)
        elif phrase.refers:
            phrase, names = self._before(phrase, slot, extra)
        else:
            names = self._known(phrase, slot, extra)
            if extra and not self._means(replace(phrase, count=ALL), slot):
                phrase = replace(phrase, nouns=(*phrase.nouns, "latched"))  # the door was named, though its latch was meant
                self.named[-1].append((phrase, ()))
                return names
        self.named[-1].append((phrase, names))
        return names

    def _known(self, phrase: Phrase, slot: Slot, extra: Mapping[str, str]) -> tuple[str, ...]:
        """One of several of a kind is meant if it is the one that was named before."""
        if phrase.count == ONE and phrase.nouns and not phrase.attributes:
            every = grounded(replace(phrase, count=ALL), list(slot), self.things, extra)
            for clause in reversed(self.named):
                before = {name for _, names in clause for name in names if name in every}
                if len(before) == 1:
                    return tuple(before)
        return grounded(phrase, list(slot), self.things, extra)

    def _another(self, phrase: Phrase, slot: Slot) -> tuple[Phrase, tuple[str, ...]]:
        """Another of a kind that was named before."""
        for clause in reversed(self.named):
            for before, _ in reversed(clause):
                fuller = replace(before, attributes=phrase.attributes, count=phrase.count, name="")
                if fuller.nouns and self._means(replace(before, attributes=(), count=ALL), slot):
                    return fuller, grounded(fuller, list(slot), self.things)
        raise ConfigError(f"what does {str(phrase)!r} mean? Candidates are {listed(list(slot), self.things)}")

    def _before(self, phrase: Phrase, slot: Slot, extra: Mapping[str, str]) -> tuple[Phrase, tuple[str, ...]]:
        """What was named last, of what fits."""
        for clause in reversed(self.named):
            fitting = {name: before for before, names in clause for name in self._still(before, names, slot, extra)}
            if len(fitting) == 1 and phrase.refers != THEM:
                name, before = next(iter(fitting.items()))
                return before, (name,)
            if fitting and phrase.refers == THEM and (len(fitting) > 1 or next(iter(fitting.values())).count != ONE):
                return phrase, tuple(fitting)
            if fitting:
                raise ConfigError(f"what does {str(phrase)!r} mean: {listed(list(fitting), self.things)}?")
        raise ConfigError(f"what does {str(phrase)!r} mean? Candidates are {listed(list(slot), self.things)}")

    def _still(self, phrase: Phrase, names: Sequence[str], slot: Slot, extra: Mapping[str, str]) -> tuple[str, ...]:
        """What the same words mean where `slot` has to be filled, or what was named by them."""
        again = () if phrase.refers else self._means(phrase, slot)
        return again or tuple(name for name in names if name in slot) or (() if phrase.refers else self._means(phrase, slot, extra))

    def _means(self, phrase: Phrase, slot: Slot, extra: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
        try:
            return grounded(phrase, list(slot), self.things, extra)
        except ConfigError:
            return ()


def meaning(clauses: Sequence[Clause], vocabulary: Sequence[Predicate], things: Things) -> tuple[Predicate, ...]:
    """The predicates that clauses ask for, each once.

    Raises:
        ConfigError: nothing or too much fits a phrase, or the clauses cannot all hold at the end; the message lists the candidates.
    """
    reading = _Reading(vocabulary, things)
    for before, clause in zip((None, *clauses), clauses, strict=False):
        _check_scope(before, clause)
        reading.read(clause)
    found = _without_means(reading.found)
    _check_together(found)
    return found


def _deed(clause: Clause) -> str:
    """The deed, or its opposite where it is denied."""
    if clause.negated and clause.deed not in OPPOSITE:
        raise ConfigError(f"a goal cannot say what shall not be {WORDS.get(clause.deed, clause.deed)}; say where it shall be instead")
    return OPPOSITE[clause.deed] if clause.negated else clause.deed


def _check_scope(before: Clause | None, clause: Clause) -> None:
    """It has to be clear how far a "not" reaches."""
    if not clause.deed:
        raise ConfigError("it is not clear which of several shall not be; say each by itself")
    if before is None or not before.negated or before.form == BARE:
        return
    if clause.form == BARE or (before.form == clause.form == ORDER and not clause.apart):
        raise ConfigError("it is not clear whether not is said of what follows too; use two sentences")


def _without_means(found: Sequence[tuple[Predicate, bool]]) -> tuple[Predicate, ...]:
    """Taking what is put somewhere afterwards, and opening what something is put into and what is shut afterwards, are means."""
    kept: dict[Predicate, None] = {}
    for index, (predicate, done) in enumerate(found):
        later = [p for p, also in found[index + 1 :] if also]
        put = [p for p in later if p.kind in ("inside", "on_top")]
        taken = predicate.kind == "held" and any(p.arguments[0] == predicate.arguments[0] for p in put)
        shut = Predicate("closed", predicate.arguments) if predicate.kind == "open" else None
        opened = shut in later and any(p.arguments[1:] == predicate.arguments for p in put[: later.index(shut)]) if shut else False
        if not (done and (taken or opened)):
            kept[predicate] = None
    return tuple(kept)


def _check_together(found: Sequence[Predicate]) -> None:
    carried: dict[str, Predicate] = {}
    for predicate in found:
        if predicate.kind in OPPOSITE and Predicate(OPPOSITE[predicate.kind], predicate.arguments) in found:
            other = OPPOSITE[predicate.kind]
            raise ConfigError(f"a goal is what holds at the end: {predicate} or {Predicate(other, predicate.arguments)}?")
        if PREDICATES[predicate.kind].carried:
            where = carried.setdefault("the hand" if predicate.kind == "held" else predicate.arguments[0], predicate)
            also = carried.setdefault(predicate.arguments[0], predicate)
            if where != predicate or also != predicate:
                raise ConfigError(f"a goal is what holds at the end: {where if where != predicate else also} or {predicate}?")
