"""The words that travel with weights."""

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.config import words_of
from hiermap.training.held_out import HORIZONS
from hiermap.worlds.goals import BINARY, UNARY


def results_table(values: Mapping[str, float]) -> str:
    """Average precision and calibration per primitive, imagination per horizon, predicates: aligned plain text."""
    lines = [f"{'primitive':12} {'AP':>6} {'ECE':>6}"]
    for name in (*PRIMITIVES, "mean"):
        key = "" if name == "mean" else f"_{name}"
        lines.append(f"{name:12} {_number(values, 'ap' + key)} {_number(values, 'ece' + key)}")
    lines += ["", f"{'horizon':12} {'imagined AP':>12} {'present AP':>12} {'unchanged AP':>13} {'imagined/present':>17}"]
    for h in range(1, HORIZONS + 1):
        imagined, present = values.get(f"imagined_ap_{h}", math.nan), values.get(f"present_ap_{h}", math.nan)
        row = [_number(values, f"{name}_ap_{h}") for name in ("imagined", "present", "unchanged")]
        lines.append(f"{h:<12} {row[0]:>12} {row[1]:>12} {row[2]:>13} {imagined / present if present else math.nan:17.3f}")
    lines += ["", f"{'predicate':12} {'AP':>6} {'imagined AP':>12}"]
    lines += [f"{k:12} {_number(values, f'predicate_ap_{k}')} {_number(values, f'imagined_predicate_ap_{k}'):>12}" for k in UNARY + BINARY]
    single, whole, falls = (_number(values, name).strip() for name in ("steps_error", "goal_steps_error", "goal_falls"))
    lines += ["", f"steps-to-go, mean absolute error {single}; of whole goals {whole}, which falls on {falls} of the steps nearer"]
    return "\n".join(lines)


def card(record: Mapping[str, Any], training_kitchens: int, held_out_kitchens: int) -> str:
    """Model card (Markdown): what it is, from what and how it was made, what it scores, what it is not for."""
    command = shlex.join(words_of("train", record["config"]))
    words = {"minutes": f"{record['minutes']:.1f}", "results": results_table(record["metrics"]), "command": command}
    values = {**record, **record["config"], **record["versions"], **words}
    template = Template(Path(__file__).with_name("card.md").read_text())
    return template.substitute(values, training_kitchens=training_kitchens, held_out_kitchens=held_out_kitchens)


def checkpoint_card(made: Mapping[str, Any]) -> str:
    """Model card of weights that were taken out of a checkpoint."""
    told = "`{name}` (sha256 {sha256}), epoch {epoch}, {global_step} steps".format(**made)
    return f"# hiermap world model\n\nTaken from the checkpoint {told}, by `hiermap export`; neither calibrated nor scored.\n"


def _number(values: Mapping[str, float], name: str) -> str:
    value = values.get(name, math.nan)
    return f"{value:6.3f}" if math.isfinite(value) else "     -"
