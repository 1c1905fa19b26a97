"""`hiermap report DIR`: one self-contained page from a plan, several plans, or an evaluation."""

from pathlib import Path

from hiermap.report.evaluation_page import INFO, evaluation_section
from hiermap.report.page import Html, document, joined
from hiermap.report.plan_page import plan_section, plans_summary
from hiermap.report.recording import PLAN, read_plan
from hiermap.system.files import write_atomically
from hiermap.system.run_folder import REPORT
from hiermap.worlds.errors import ConfigError, DataError

OURS = b'<meta name="generator" content="hiermap">'
"""In every page that hiermap wrote."""


def report(directory: str | Path, overwrite: bool = False) -> Path:
    """Write `report.html` into a run's directory and return its path; DataError when nothing there can be reported.

    A directory of runs (each in a folder of its own, as `make demo` leaves them) becomes one page. Raises ConfigError for a page
    there that hiermap did not write, unless it may be overwritten.
    """
    root = Path(directory)
    if not root.is_dir():
        raise DataError(f"{root} is no directory; expected the out=DIR of `hiermap plan` or `hiermap evaluate`")
    body = _body([root, *sorted(child for child in root.iterdir() if child.is_dir())])
    if not body:
        raise DataError(f"{root} holds neither {PLAN} nor {INFO}; expected the out=DIR of a finished `hiermap plan` or `hiermap evaluate`")
    path = root / REPORT
    check_ours(path, overwrite)
    write_atomically(path, document(f"hiermap: {root.resolve().name}", body))
    print(path)
    return path


def check_ours(path: Path, overwrite: bool) -> None:
    """Raise ConfigError where a page would replace what hiermap did not write, unless that may be overwritten."""
    if path.is_dir():
        raise ConfigError(f"{path} is a directory, expected the name of a page; add /page.html")
    if path.exists() and not overwrite and OURS not in path.read_bytes():
        raise ConfigError(f"{path} was not written by hiermap; move it away, or overwrite=true")


def _body(folders: list[Path]) -> Html:
    evaluations = [evaluation_section(folder) for folder in folders if (folder / INFO).is_file()]
    plans = {folder: read_plan(folder) for folder in folders if (folder / PLAN).is_file()}
    overview = [plans_summary(list(plans.values()))] if plans else []
    sections = [plan_section(folder, plan, index) for index, (folder, plan) in enumerate(plans.items())]
    return joined([*evaluations, *overview, *sections])
