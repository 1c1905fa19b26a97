"""What a sentence says before anybody looks: phrases for things, and clauses about them."""

from dataclasses import dataclass, replace

from hiermap.worlds.words.lexicon import AXES

ONE, THE, ALL, BOTH, ANY, NONE = "one", "the", "all", "both", "any", "none"
"""How many things a phrase means: one, those of a plural, every one, two, whichever, and no one."""
IT, THEM, AGAIN = "it", "them", "again"
"""What a phrase may stand for: one thing named before, several, or another of the kind named before."""

ORDER, BARE = "order", "bare"
"""Forms of clauses."""


@dataclass(frozen=True)
class Phrase:
    """Words for a thing, or for several.

    Attributes:
        nouns: every noun has to fit.
        attributes: of `lexicon.ATTRIBUTES`, as said.
        count: how many are meant.
        name: as it is listed, instead of nouns.
        refers: to what was named before, instead of nouns.
    """

    nouns: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    count: str = ONE
    name: str = ""
    refers: str = ""

    def completed(self, other: "Phrase") -> "Phrase":
        """Without a noun, one of the kind of the other: "the left and the right knob"; it takes over what does not speak against it."""
        if self.nouns or self.name or self.refers:
            return self
        axes = {AXES.get(word) for word in self.attributes}
        return replace(self, nouns=other.nouns, attributes=(*self.attributes, *(w for w in other.attributes if AXES.get(w) not in axes)))

    def __str__(self) -> str:
        return self.name or " ".join((*self.attributes, *(self.nouns or (self.refers.replace(AGAIN, "one"),))))


@dataclass(frozen=True)
class Clause:
    """What shall hold of some things, or with `negated` shall not.

    Attributes:
        deed: a kind of predicate, "locked", "unlocked", "whither" (in it or on it), or "" for what is not clear.
        subjects: of what.
        place: where, for what is put somewhere.
        done: said by what to do, open it or take it, not by how it shall be.
        form: `ORDER`, `BARE` for one without a verb of its own, so that an earlier one may be meant, or "".
        apart: set off from the clause before by more than a bare "and".
    """

    deed: str
    subjects: tuple[Phrase, ...]
    place: Phrase | None = None
    negated: bool = False
    done: bool = False
    form: str = ""
    apart: bool = False
