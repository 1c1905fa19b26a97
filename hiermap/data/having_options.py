"""Which kitchens of the wide world are collected in: those with rare kinds of parts can be asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import Count, check_fields, one_of
from hiermap.worlds.wide.options import WideOptions

SEARCHED = 2000
"""Kitchens in a row that do not have it say that none has."""


@dataclass(frozen=True)
class HavingOptions:
    """What a kitchen of the wide world has that is collected in; any will do by default.

    Attributes:
        kinds: kinds of fixtures, for example [lever, knobs].
        least: so many fixtures of these kinds together.
        most_things: at most so many things to carry, 0 for any number; the fewer, the quicker its geometry is known.
    """

    kinds: tuple[str, ...] = ()
    least: Annotated[int, 1, 30] = 1
    most_things: Count = 0

    def __post_init__(self) -> None:
        check_fields(self, "having")
        if self.kinds:
            from hiermap.worlds.wide.kitchens import FIXTURE_KINDS

            for kind in self.kinds:
                one_of("having.kinds", kind, sorted(FIXTURE_KINDS))

    @property
    def told(self) -> str:
        """In words for a record; "" if any kitchen will do."""
        parts = f" with {self.least} {' or '.join(self.kinds)}" if self.kinds else ""
        return parts + (f" with {self.most_things} things at most" if self.most_things else "")

    def chosen(self, seeds: Iterable[int], drawn: WideOptions) -> Iterator[int]:
        """Those of such kitchens, drawn from some ranges; ConfigError where there are none for long."""
        missed = 0
        for seed in seeds:
            missed = 0 if (fits := self._fits(seed, drawn)) else missed + 1
            if missed >= SEARCHED:
                raise ConfigError(
                    f"{SEARCHED} kitchens up to seed {seed}, none{self.told}; ask for less in having.least or having.most_things"
                )
            if fits:
                yield seed

    def _fits(self, seed: int, drawn: WideOptions) -> bool:
        if not self.told:
            return True
        from mujoco import mjtJoint

        from hiermap.worlds.wide.kitchens import kind_of, wide_kitchen

        joints = wide_kitchen(seed, drawn).joints
        parts = sum(kind_of(joint.name) in self.kinds for joint in joints)
        things = sum(joint.type == mjtJoint.mjJNT_FREE for joint in joints)
        return (not self.kinds or parts >= self.least) and (not self.most_things or things <= self.most_things)
