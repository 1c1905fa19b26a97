"""Every row of the results: the shipped weights on chains, each ablation alone, and true dynamics or maps, on the same seeds.

The estimated hours come first. A cell (a row on a suite) is one `hiermap evaluate`: an unfinished one goes on where it stopped, a finished
one with the same settings and weights is kept. At the end a table is printed and written to OUT/table.md: success with its Wilson interval,
and of every row but the main one the paired difference to the row that it differs from in one thing. Three rows need networks of their own,
which are trained first, for equally long, where they are not there yet; without `data=` such rows are left out.

    python benchmarks/results.py [quick=true] [dry=true] [rows=main,reactive] [suites=chain-1,chain-3] [episodes=100] [seed=253000]
                                 [workers=2] [out=DIR] [data=DIR]
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from results_table import COLUMNS, shown, table

from hiermap.evaluation.compare import pair
from hiermap.evaluation.evaluate import GROWS, fingerprint, owner, provenance
from hiermap.evaluation.results import RUN, read_run
from hiermap.evaluation.suites import EvaluateOptions
from hiermap.system.config import load_config, typed
from hiermap.system.files import file_sha256, write_atomically
from hiermap.system.proportions import newcombe
from hiermap.system.run_folder import stranger

START_SECONDS = 8.0
"""Of a command: what it loads before its first episode, and the uneven end of its workers."""
SUITES: Mapping[str, str] = {"chain-1": "", "chain-3": "", "chain-5": "budget.expansions=60", "chain-10": "budget.expansions=60"}
"""What is asked -> what every row is told besides."""
MAIN = "main"
MORE = "more-replans"
"""The main row with as many replans as primitives may be run, since ablations that plan a step at a time would lose by that limit alone."""


NETWORKS: Mapping[str, str] = {"factored": "", "single-map": "model.heads=single", "vector": "model.policy=true losses.policy=1"}
"""Row -> what its network is told besides `TRAINING`, into `NETWORKS_IN`."""
TRAINING = (
    "losses.predicates=3 losses.steps=0.6 losses.goals=1 losses.promises=0.1 optimiser.lr=0.004 data_options.hiding=0.2 "
    "data_options.unroll=[0.1,0.1,0.15,0.05,0.2,0.05,0.05,0.05,0.05,0.2] data_options.validation_share=0.05 trainer.max_time=00:00:40:00"
)
TRAINING_HOURS = 0.75
"""Of a network, with loading and its held-out results."""
NETWORKS_IN = Path("runs/ablations")


@dataclass(frozen=True)
class Row:
    """One way of planning.

    Attributes:
        words: of `hiermap evaluate`.
        seconds: of one episode of each of `SUITES` with one worker [s], roughly: from a few of chain-3 and chain-10, else guessed.
        against: the row that it differs from in one thing.
    """

    words: str
    seconds: tuple[float, float, float, float]
    against: str = MAIN


ROWS: Mapping[str, Row] = {
    MAIN: Row("", (0.5, 1.2, 2.3, 6.9)),
    MORE: Row("max_replans=30", (0.5, 1.2, 2.3, 7.5)),
    "reactive": Row("planner=reactive max_replans=30", (0.5, 1.5, 3.0, 9.0), against=MORE),
    "greedy-rollout": Row("planner=greedy_rollout max_replans=30", (0.5, 1.5, 4.0, 14.0), against=MORE),
    "no-future-maps": Row("search.future_maps=false max_replans=30", (0.5, 5.0, 12.0, 38.0), against=MORE),
    "no-cost-to-go": Row("beliefs.cost_to_go=unmet max_replans=30", (0.5, 6.0, 15.0, 45.0), against=MORE),
    "no-whole-goal": Row("beliefs.cost_to_go=predicates max_replans=30", (0.5, 1.5, 4.0, 12.0), against=MORE),
    "no-belief-memory": Row("beliefs.kept=0 beliefs.tracked=false max_replans=30", (0.5, 1.5, 4.0, 40.0), against=MORE),
    "no-replanning": Row("execution.blind=true max_replans=0", (0.5, 1.2, 2.0, 5.0)),
    "factored": Row(f"weights={NETWORKS_IN}/factored max_replans=30", (0.5, 1.5, 4.0, 14.0), against=MORE),
    "single-map": Row(f"weights={NETWORKS_IN}/single-map max_replans=30", (0.5, 1.5, 4.0, 14.0), against="factored"),
    "vector": Row(f"weights={NETWORKS_IN}/vector planner=vector max_replans=30", (0.5, 1.5, 3.0, 9.0), against="factored"),
    "true-dynamics": Row("world=simulator search.batch=1", (2.0, 9.0, 12.0, 25.0)),
    "true-dynamics-and-maps": Row("world=simulator maps=oracle search.batch=1", (2.0, 12.0, 15.0, 30.0)),
}
"""Name -> row."""


@dataclass(frozen=True)
class Stage:
    """What is run: rows on suites, the seeds from `seed` on, into `out`."""

    out: str = "docs/results/ablations"
    seed: int = 253000
    episodes: int = 100
    workers: int = 2
    data: str = ""
    rows: str = ",".join(ROWS)
    suites: str = ",".join(SUITES)

    @classmethod
    def told(cls, words: list[str]) -> Self:
        """The stage of a command's words `key=value`; ValueError for a key, a row or a suite that does not exist."""
        given = dict(word.split("=", 1) for word in words)
        stage = replace(cls(), **QUICK) if given.pop("quick", "false") == "true" else cls()
        known = {key: type(value) for key, value in vars(stage).items()}
        strange = [*(given.keys() - known.keys()), *({*given.get("rows", MAIN).split(",")} - ROWS.keys())]
        strange += {*given.get("suites", "chain-1").split(",")} - SUITES.keys()
        if strange:
            raise ValueError(f"unknown: {', '.join(strange)}; keys {', '.join(known)}; rows {', '.join(ROWS)}; suites {', '.join(SUITES)}")
        return replace(stage, **{key: known[key](value) for key, value in given.items()})

    def cells(self) -> Iterator["Cell"]:
        """By suite and then by row, the main one first; of networks that are or can be trained."""
        rows = sorted(self.rows.split(","), key=list(ROWS).index)
        rows = [row for row in rows if self.data or row not in self.untrained()]
        return (Cell(self, row, suite) for suite in self.suites.split(",") for row in rows)

    def untrained(self) -> list[str]:
        """The rows whose networks are not there."""
        return [row for row in NETWORKS if row in self.rows.split(",") and not (NETWORKS_IN / row / "model.safetensors").exists()]


QUICK = {"out": "runs/results-quick", "seed": 118500, "episodes": 20, "suites": "chain-3,chain-5"}
"""A look at every row whose network is there in half an hour, on validation seeds."""


@dataclass(frozen=True)
class Cell:
    """A row on a suite."""

    stage: Stage
    row: str
    suite: str

    @property
    def out(self) -> Path:
        return Path(self.stage.out, self.row, self.suite)

    @property
    def seconds(self) -> float:
        """Of one episode [s]."""
        return ROWS[self.row].seconds[list(SUITES).index(self.suite)]

    @property
    def hours(self) -> float:
        """Estimated [h]."""
        return (START_SECONDS + self.stage.episodes * self.seconds / self.stage.workers) / 3600

    @property
    def words(self) -> list[str]:
        """Of `hiermap evaluate`."""
        numbers = (
            f"{key}={value}"
            for key, value in (("seed", self.stage.seed), ("episodes", self.stage.episodes), ("workers", self.stage.workers))
        )
        told = f"{SUITES[self.suite]} {ROWS[self.row].words}".split()
        return [f"suite={self.suite}", *numbers, "pictures=false", *told, f"out={self.out}"]

    def done(self) -> bool:
        """Whether it is finished with these settings and weights, at whatever commit."""
        if not (self.out / RUN).exists() or self.row in self.stage.untrained():
            return False
        run, config = read_run(self.out), load_config("evaluate", self.words)
        weights = typed(EvaluateOptions, config).weights_file(self.suite)
        usual = load_config("evaluate", [f"suite={self.suite}", f"out={self.out}"])  # what could not be told then was as it usually is
        then, now = ({**fingerprint({"config": usual}), **fingerprint({"config": told})} for told in (run.config, config))
        return then == now and len(run.rows) == self.stage.episodes and run.settings["weights_sha256"] in same_plans(weights)

    def begun(self) -> list[str]:
        """The words that an evaluation needs where another one left its files: of other settings, or unfinished at another commit."""
        if not self.out.exists():
            return []
        config = load_config("evaluate", self.words)
        run = owner(provenance(typed(EvaluateOptions, config), config))
        return ["overwrite=true"] if stranger(self.out, run, GROWS) else []


def same_plans(weights: Path | None) -> set[str | None]:
    """The digests of a model file and of those to which it only added tensors, as its `added_to` says: they plan alike."""
    if weights is None:
        return {None}
    return {file_sha256(weights), *json.loads(weights.with_name("config.json").read_text()).get("added_to", [])}


def difference(cell: Path, other: Path) -> str:
    """Success of a finished cell minus that of another on the tasks that both ran, in points, with its 95 % interval."""
    counts = pair(read_run(other), read_run(cell)).counts
    low, high = newcombe(counts)
    return f"{100 * counts.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}, n = {counts.trials})"


def markdown(stage: Stage) -> str:
    """All finished cells: success by row and suite with the difference that each ablation makes; below it a line each with its command."""
    done = [cell for cell in stage.cells() if cell.done()]
    lines = []
    for cell in done:
        name, *figures = shown(f"{cell.suite}/{cell.row}", json.loads((cell.out / "eval_info.json").read_text()))
        change = difference_of(cell, done)
        lines.append((name, *figures[:3], f"{change} to {ROWS[cell.row].against}" if change else "", *figures[3:]))
    return "\n\n".join((matrix(stage, done), table((*COLUMNS[:4], "paired difference", *COLUMNS[4:]), lines)))


def matrix(stage: Stage, done: list[Cell]) -> str:
    """By row and suite: success in percent, and the paired difference in points to the row that it differs from in one thing."""
    suites, lines = stage.suites.split(","), []
    for row in dict.fromkeys(cell.row for cell in done):
        cells = {cell.suite: cell for cell in done if cell.row == row}
        figures = [f"{_success(cells[suite])} {difference_of(cells[suite], done)}".strip() if suite in cells else "" for suite in suites]
        lines.append((row, "" if ROWS[row].against == row else ROWS[row].against, *figures))
    return table(("row", "against", *suites), lines)


def _success(cell: Cell) -> str:
    return f"{json.loads((cell.out / 'eval_info.json').read_text())['aggregated']['pc_success']:.0f}"


def difference_of(cell: Cell, done: list[Cell]) -> str:
    """The paired difference of a cell to the row that it is compared with, where both are finished."""
    other = replace(cell, row=ROWS[cell.row].against)
    return difference(cell.out, other.out) if cell != other and other in done else ""


def run(verb: str, words: list[str]) -> int:
    """The exit code of a command."""
    return subprocess.run([sys.executable, "-m", "hiermap", verb, *words]).returncode


def main(arguments: list[str]) -> int:
    """Run what is not there yet and write the table; 1 if something failed, the rest is run nevertheless."""
    dry = "dry=true" in arguments
    stage = Stage.told([word for word in arguments if not word.startswith("dry=")])
    todo, untrained = [cell for cell in stage.cells() if not cell.done()], stage.untrained()
    hours = sum(cell.hours for cell in todo) + TRAINING_HOURS * len(untrained) * bool(stage.data)
    print(f"{len(todo)} of {len(list(stage.cells()))} cells to run, about {hours:.1f} hours", flush=True)
    failed = []
    for row in untrained:
        words = f"data={stage.data or 'DIR'} out={NETWORKS_IN / row} {TRAINING} {NETWORKS[row]}".split()
        what = "trained first" if stage.data else "left out without data=DIR"
        print(f"\n{row} has no network yet and is {what}: hiermap train {' '.join(words)}", flush=True)
        if stage.data and not dry and run("train", words):
            failed.append(f"the network of {row}")
    for cell in todo:
        print(f"\n{cell.row} on {cell.suite}, about {60 * cell.hours:.0f} min: hiermap evaluate {' '.join(cell.words)}", flush=True)
        if not dry and f"the network of {cell.row}" not in failed and run("evaluate", [*cell.words, *cell.begun()]):
            failed.append(f"{cell.row} on {cell.suite}")
    if not dry:
        text = markdown(stage)
        write_atomically(Path(stage.out, "table.md"), text + "\n")
        print(f"\n{text}")
    print("\n".join(f"failed: {name}" for name in failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
