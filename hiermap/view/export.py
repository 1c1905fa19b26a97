"""`hiermap view export=FILE`: a page that stands alone, of a kitchen, a plan with its futures, and what was done."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hiermap.model.locate import trained_on
from hiermap.report import page
from hiermap.report.report import check_ours
from hiermap.system.files import write_atomically
from hiermap.system.provenance import settings
from hiermap.view.desk import Desk
from hiermap.view.options import ViewOptions
from hiermap.view.sections import futures, heading, photographs, stage
from hiermap.view.view import LACKING, desk_of, has_viser

DONE, FAILED, NO_PLAN = 0, 1, 3
"""Exit codes, as those of `hiermap plan`."""


def export(options: ViewOptions, config: Mapping[str, Any]) -> int:
    """Write the page of a kitchen, of the plan for what is asked there if anything is, and with execute=true of what came of it.

    Returns:
        0 written, and what was asked for planned or done; 1 done and not reached; 3 no plan.

    Raises:
        ConfigError: the file is a directory, or was not written by hiermap and may not be overwritten.
    """
    path = Path(options.export).expanduser()
    check_ours(path, options.overwrite)
    weights = options.weights_file(options.suite)
    about = settings(config, weights, trained_on(weights))
    desk, film = desk_of(options)
    asked = bool(desk.goal_text)
    if asked:
        desk.plan(desk.goal_text)
    imagined = futures(desk)
    while asked and options.execute and desk.can_go_on:
        desk.step()
    parts = [heading(desk), *([stage(film)] if has_viser() else []), photographs(desk, film), imagined, page.settings(about)]
    write_atomically(path, page.document(f"hiermap: kitchen {options.seed}", page.joined(parts)))
    if not has_viser():
        print(f"hiermap: the kitchen in 3-D {LACKING}; the page shows photographs", file=sys.stderr)
    print(path)
    return _code(desk) if asked else DONE


def _code(desk: Desk) -> int:
    if desk.outcome is not None:
        return DONE if all(desk.truth().values()) else FAILED
    return DONE if desk.result else NO_PLAN
