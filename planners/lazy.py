"""Lazy expansion: children wait in the frontier by what their actions promise, and are imagined when they come to its front (Lazy Weighted
A*: Cohen, Phillips and Likhachev 2014). A node has some twenty candidate actions, of which a plan follows one."""

from collections.abc import Sequence
from typing import TypeGuard

from hiermap.planners.search_tree import Entry, Tree
from hiermap.worlds.base import Foresight, World
from hiermap.worlds.errors import ConfigError


def foresees(world: World) -> TypeGuard[Foresight]:
    """Whether a world can guess what actions lead to."""
    return isinstance(world, Foresight) and world.foresees


def guesses(tree: Tree, entries: Sequence[Entry]) -> list[Entry]:
    """Guessed children, without numbers yet, of entries that are expanded now; ConfigError in a world without foresight."""
    world = tree.world
    if not foresees(world):
        raise ConfigError(f"a {type(world).__name__} of this model promises nothing; take world=latent and weights with a promise head")
    entries, chosen = tree.chosen(entries)
    promises = world.promises([e.node for e in entries], [[c.action for c in some] for some in chosen], tree.goal)
    made = [
        tree.child(entry, candidate, promise)
        for entry, some, promised in zip(entries, chosen, promises, strict=True)
        for candidate, promise in zip(some, promised, strict=True)
    ]
    return [child for child in made if child is not None]


class Children:
    """The children of a tree's entries: guessed where its world has foresight, else imagined at once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._siblings: dict[int, list[Entry]] = {}

    def of(self, entries: Sequence[Entry]) -> list[Entry]:
        """Of entries that are expanded now."""
        if not (self.tree.options.lazy and foresees(self.tree.world)):
            return [child for some in self.tree.grow(entries) for child in some]
        return guesses(self.tree, entries)

    def imagined(self, guessed: Sequence[Entry]) -> list[Entry]:
        """What becomes of guessed children; nothing of those that lead where a sibling has led before."""
        tree, found = self.tree, list[Entry]()
        if not guessed:
            return found
        parents, actions = zip(*((child.parent, child.action) for child in guessed), strict=True)
        outcomes = tree.world.expand([parent.node for parent in parents], [[action] for action in actions], tree.goal)
        for guess, parent, (outcome,) in zip(guessed, parents, outcomes, strict=True):
            child = tree.child(parent, guess.candidate, outcome)
            if child is not None and not self._is_twin(child):
                found.append(tree.keep(child))
                self._siblings.setdefault(parent.index, []).append(found[-1])
        return found

    def _is_twin(self, child: Entry) -> bool:
        assert child.parent is not None and isinstance(self.tree.world, Foresight)
        siblings = [entry.node for entry in self._siblings.get(child.parent.index, [])]
        same = bool(siblings) and self.tree.world.twins(child.parent.node, [*siblings, child.node])[-1] is not None
        self.tree.duplicates += same
        return same
