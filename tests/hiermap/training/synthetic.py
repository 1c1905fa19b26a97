"""A made-up kitchen of coloured squares with exactly known effects: enough to see whether training learns, in seconds."""

from pathlib import Path

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode, file_name, write_episode
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.system.versions import versions
from hiermap.worlds.goals import BINARY, UNARY

ROWS, COLUMNS = 48, 64
THINGS = (("door", "left_door"), ("knob", "knob"), ("mug", "mug"), ("board", "board"))
DOOR, KNOB, MUG, BOARD = range(4)
_SIZE = {DOOR: (8, 12), KNOB: (6, 6), MUG: (6, 6), BOARD: (10, 16)}
_COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 220], [200, 200, 80]], np.uint8)
_NAMES = list(PRIMITIVES)


class SquareKitchen:
    """State: door open or shut (it slides 10 rows down), knob on or off (its colour changes), mug somewhere or in the hand."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.where = {
            DOOR: np.array([rng.integers(2, 8), rng.integers(2, 18)]),
            KNOB: np.array([rng.integers(2, 10), rng.integers(48, 56)]),
            BOARD: np.array([rng.integers(32, 37), rng.integers(36, 46)]),
            MUG: np.array([rng.integers(28, 40), rng.integers(2, 26)]),
        }
        self.open, self.on, self.held = bool(rng.integers(2)), bool(rng.integers(2)), False
        self.shade = 0.6 + 0.4 * rng.random(3)

    def box(self, thing: int) -> tuple[slice, slice]:
        row, column = self.where[thing] + ([10, 0] if thing == DOOR and self.open else [0, 0])
        height, width = _SIZE[thing]
        return slice(row, row + height), slice(column, column + width)

    def visible(self, thing: int) -> bool:
        return not (thing == MUG and self.held)

    def mask(self, thing: int) -> np.ndarray:
        mask = np.zeros((ROWS, COLUMNS), bool)
        if self.visible(thing):
            mask[self.box(thing)] = True
        if thing == BOARD and self.visible(MUG):
            mask[self.box(MUG)] = False
        return mask

    def on_board(self) -> bool:
        centre = self.where[MUG] + 3 - self.where[BOARD]
        return not self.held and bool((centre >= 0).all() and (centre < _SIZE[BOARD]).all())

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        rgb = np.full((ROWS, COLUMNS, 3), 120, np.uint8)
        depth = np.full((ROWS, COLUMNS), 9500, np.uint16)
        for thing in (BOARD, DOOR, KNOB, MUG):
            if self.visible(thing):
                rgb[self.box(thing)] = _COLOURS[thing]
                depth[self.box(thing)] = 9300 - 300 * (thing != BOARD)
        if self.on:
            rgb[self.box(KNOB)] = (240, 240, 240)
        return (rgb * self.shade).astype(np.uint8), depth

    def maps(self) -> np.ndarray:
        maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, ROWS, COLUMNS), bool)
        for primitive, rotation, cells in self.choices():
            maps[_NAMES.index(primitive), rotation] |= cells
        return maps

    def choices(self) -> list[tuple[str, int, np.ndarray]]:
        free = np.zeros((ROWS, COLUMNS), bool)
        row, column = self.where[BOARD]
        free[row + 3 : row + 8, column + 3 : column + 13] = True
        out = [("push", 0, self.mask(DOOR)) if self.open else ("pull", 0, self.mask(DOOR))]
        out.append(("rotate", 1 if self.on else 0, self.mask(KNOB)))
        out.append(("place", 0, free) if self.held else ("grasp", 0, self.mask(MUG)))
        return out

    def act(self) -> tuple[str, int, np.ndarray]:
        choices = self.choices()
        primitive, rotation, cells = choices[self.rng.choice(len(choices), p=[0.25, 0.25, 0.5])]
        cell = self.rng.choice(np.argwhere(cells))
        if primitive in ("push", "pull"):
            self.open = not self.open
        elif primitive == "rotate":
            self.on = not self.on
        elif primitive == "grasp":
            self.held = True
        else:
            self.held = False
            self.where[MUG] = cell - 3
        return primitive, rotation, cell

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        unary = np.full((4, len(UNARY)), NOT_APPLICABLE, np.uint8)
        unary[DOOR, :2] = self.open, not self.open
        unary[KNOB, 2:4] = self.on, not self.on
        unary[MUG, 4] = self.held
        binary = np.full((4, 4, len(BINARY)), NOT_APPLICABLE, np.uint8)
        binary[MUG, BOARD, 1] = self.on_board()
        return unary, binary

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        unary, binary = self.truth()
        needed = np.where(unary == NOT_APPLICABLE, NOT_APPLICABLE, 1 - np.minimum(unary, 1))
        pair = binary.copy()
        pair[MUG, BOARD, 1] = 0 if self.on_board() else 1 if self.held else 2
        return needed.astype(np.uint8), pair


def square_episode(seed: int, interactions: int = 8) -> Episode:
    """A walk in one kitchen of squares, a pure function of the seed."""
    rng = np.random.default_rng([seed, 0x5])
    kitchen = SquareKitchen(rng)
    masks = np.stack([kitchen.mask(thing) for thing in range(4)])
    names = ["rgb", "depth", "holding", "maps", "unary", "binary", "steps_unary", "steps_binary", "fractions"]
    views: dict[str, list] = {name: [] for name in names}
    actions = []
    for step in range(interactions + 1):
        _record(kitchen, views)
        if step < interactions:
            actions.append(kitchen.act())
    stacked = {name: np.stack(values) for name, values in views.items()}
    return _episode(seed, stacked, actions, masks)


def write_squares(directory: Path, count: int, interactions: int = 8) -> Path:
    """`count` episodes in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        write_episode(directory, file_name("toy", seed), square_episode(seed, interactions))
    return directory


def _record(kitchen: SquareKitchen, views: dict[str, list]) -> None:
    rgb, depth = kitchen.picture()
    unary, binary = kitchen.truth()
    steps_unary, steps_binary = kitchen.steps()
    values = (rgb, depth, np.uint8(kitchen.held), kitchen.maps(), unary, binary, steps_unary, steps_binary, np.float32([kitchen.open]))
    for name, value in zip(views, values, strict=True):
        views[name].append(value)


GOALS = np.int8([[[0, DOOR, -1], [2, KNOB, -1]], [[6, MUG, BOARD], [1, DOOR, -1]]])
"""The door open and the knob on; the mug on the board and the door shut."""


def _goal_steps(views: dict[str, np.ndarray]) -> np.ndarray:
    unary, binary = views["steps_unary"], views["steps_binary"]
    return np.stack([unary[:, DOOR, 0] + unary[:, KNOB, 2], binary[:, MUG, BOARD, 1] + unary[:, DOOR, 1]], axis=1)


def _episode(seed: int, views: dict[str, np.ndarray], actions: list, masks: np.ndarray) -> Episode:
    count = len(actions)
    return Episode(
        rgb=views["rgb"],
        depth_mm=views["depth"],
        holding=views["holding"],
        maps_packed=np.packbits(views["maps"], axis=-1),
        fractions=views["fractions"],
        before=np.arange(count, dtype=np.int16),
        after=np.arange(1, count + 1, dtype=np.int16),
        primitive=np.array([_NAMES.index(a[0]) for a in actions], np.int8),
        cell=np.array([a[2] for a in actions], np.int16),
        rotation=np.array([a[1] for a in actions], np.int8),
        point_world=np.zeros((count, 3), np.float32),
        normal_world=np.tile(np.float32([-1, 0, 0]), (count, 1)),
        effect=np.ones(count, bool),
        succeeded=np.ones(count, bool),
        reason=np.full(count, "done", dtype="U16"),
        duration=np.ones(count, np.float32),
        displacement=np.ones(count, np.float32),
        names=np.array([name for name, _ in THINGS], dtype="U24"),
        kinds=np.array([kind for _, kind in THINGS], dtype="U16"),
        masks_packed=np.packbits(masks, axis=-1),
        **{name: views[name] for name in ("unary", "binary", "steps_unary", "steps_binary")},
        goals=GOALS,
        goal_steps=_goal_steps(views),
        meta={
            "seed": seed,
            "family": "squares",
            "source": "toy",
            "versions": versions(),
            "calibration_error_px": 0.0,
            "joints": ["door"],
            "flags": [],
        },
    )
