"""Every figure of the README comes from a committed result, and what it tells users to type exists."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hiermap.cli import VERBS
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.config import load_config
from tests.markdown import blocks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def results_table() -> str:
    spec = importlib.util.spec_from_file_location("results_table", ROOT / "benchmarks" / "results_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.markdown(ROOT / "docs" / "results")


def test_the_results_table_is_what_the_committed_results_say():
    between = re.search(r"<!-- results -->\n(.*?)\n<!-- end of results -->", README, re.DOTALL)
    assert between and between[1] == results_table(), "run `python benchmarks/results_table.py` and paste its table"


def test_the_ablations_are_what_their_table_says():
    between = re.search(r"<!-- ablations -->\n(.*?)\n<!-- end of ablations -->", README, re.DOTALL)
    table = (ROOT / "docs/results/ablations/table.md").read_text().partition("\n\n")[0]
    assert between and between[1] == table, "paste the first table of docs/results/ablations/table.md, which `make results` writes"


def test_every_verb_the_readme_uses_exists():
    used = set(re.findall(r"^hiermap (\w+) \w+=", README, re.MULTILINE))
    assert used and used <= set(VERBS)


def test_the_ten_lines_of_the_readme_and_its_session_plan_and_act(tmp_path):
    block, session = (block.text for block in blocks(README) if block.language == "python")
    block, count = re.subn(r"seed=2\d{5}", "seed=150001", block)
    block = block.replace("seconds=10,", "seconds=120,")
    assert count == 1, "the README's task should be of the test seeds, which only its readers run"
    posed = "problem = pose('chain-3', seed=150002); scene, goal, another = problem.real, problem.goal, problem.goal\n"
    script = f"{block}{posed}{session}print(all(scene.truth(goal.predicates).values()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *steps, outcome, truth = done.stdout.splitlines()
    assert truth == "True"
    assert steps and {line.split()[0] for line in steps} <= set(PRIMITIVES)
    assert outcome.split()[0] == "True"


@pytest.mark.parametrize("command", re.findall(r"`hiermap evaluate (.*?)`", README))
def test_the_commands_of_the_results_are_complete(command):
    assert load_config("evaluate", shlex.split(command))["out"].startswith("runs/")


def test_the_figures_on_imagination_are_those_of_the_committed_output():
    figures = re.findall(r"\b0\.\d{3}\b", re.search(r"^Imagination, .*?\n\n", README, re.MULTILINE | re.DOTALL)[0])
    output = (ROOT / "docs" / "results" / "imagination.txt").read_text().split()
    assert len(figures) > 10 and set(figures) <= set(output)
