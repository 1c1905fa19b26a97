"""Two checkouts of this repository taking turns in one run, each in a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parents[1]
ROOMS = ("planners", "primitives", "worlds", "configs")


@contextmanager
def side(script: str, checkout: Path, *arguments: str, **environment: str) -> Iterator[Callable[..., list[str]]]:
    """A process that runs `script serve ARGUMENTS` on a checkout's code; called with words, it gives back the words of the answer.

    The script reads a line per question and prints "done" and the answer's words.
    """
    with tempfile.TemporaryDirectory() as path:
        package = Path(path) / "hiermap"
        package.mkdir()
        for part in (*(checkout / "hiermap").iterdir(), *(checkout / room for room in ROOMS)):
            (package / part.name).symlink_to(part.resolve())
        command = [sys.executable, script, "serve", *arguments]
        variables = {**os.environ, "PYTHONPATH": path, **environment}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables) as process:
            assert process.stdin is not None and process.stdout is not None

            def ask(*words: object) -> list[str]:
                print(*words, file=process.stdin, flush=True)
                return next(line for line in process.stdout if line.startswith("done")).split()[1:]

            yield ask
            process.stdin.close()
