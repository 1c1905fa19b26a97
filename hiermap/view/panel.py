"""The controls beside the kitchen in 3-D: what is seen, clicks, goal, plan, futures, deeds. They only hand on what `Desk` does."""

import threading
from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from typing import Any

from hiermap.report.page import html, joined
from hiermap.view.desk import Desk, Instant
from hiermap.view.pictures import LAYERS, NO_MAP, in_words, layer
from hiermap.view.stage import Stage, new_states
from hiermap.view.status import beliefs, told
from hiermap.worlds.errors import HiermapError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.simulator.film import Film

_NAMED = "document.querySelectorAll('img:not([alt])').forEach((image) => { image.alt = 'viser'; })"
"""The library's own pictures have no words."""
CELL, NOTHING = "Cell", "(click on a thing)"
STYLE = "margin:0 0.75em 0.5em;font-size:0.85em;line-height:1.4;overflow-wrap:anywhere"
_PICTURE = """<figure style="margin:0 0.75em 0.5em"><img alt="{}" src="data:image/png;base64,{}" onclick="{}" onload="{}"
style="display:block;width:100%;image-rendering:pixelated;cursor:crosshair"><figcaption style="font-size:0.8em">{}</figcaption></figure>"""
_CLICK = """const label = [...document.querySelectorAll('label')].find((e) => e.textContent === '%s'); let row = label;
while (!row.querySelector('input')) row = row.parentElement; const field = row.querySelector('input'), box = this.getBoundingClientRect();
const at = (far, size, cells) => Math.min(cells - 1, Math.max(0, Math.floor(far / size * cells)));
const cell = at(event.clientY - box.top, box.height, %d) + ' ' + at(event.clientX - box.left, box.width, %d);
Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, cell);
field.dispatchEvent(new Event('input', {bubbles: true}));"""
"""A click writes its cell into the field of that name, as if it were typed there."""


class Panel:
    """The controls on a server.

    Args:
        desk: what is worked with.
        stage: where the kitchen stands.
        film: what happens there, filmed.
    """

    def __init__(self, desk: Desk, stage: Stage, film: Film) -> None:
        self.desk, self.stage, self.film = desk, stage, film
        self.instants: list[Instant] = []
        self._busy = threading.Lock()
        self._asking: dict[str, Predicate] = {}
        gui = stage.server.gui
        self._told = gui.add_html("")
        self._picture = gui.add_html("")
        self._layer = gui.add_dropdown("Shown", LAYERS, initial_value=NO_MAP, hint="One of the five maps, or the depth")
        self._moment: Any = gui.add_slider("Future", 0, 1, 1, 0, hint="0 is now; then what is imagined after every planned step")
        self._cell = gui.add_text(CELL, "", hint="Row and column of the picture: click there, or type them")
        self._ask: Any = gui.add_dropdown("Ask", (NOTHING,), hint="What can be asked of the thing at that cell")
        self._add = gui.add_button("Add to the goal")
        self._goal: Any = gui.add_text("Goal", desk.goal_text, multiline=True, hint="Predicates, or plain English")
        self._plan, self._step, self._run = (gui.add_button(words) for words in ("Plan", "Next step", "Run to the end"))
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self._layer.on_update(lambda _: self._draw())
        self._moment.on_update(lambda _: self._draw())
        self._cell.on_update(lambda _: self._clicked())
        self._add.on_click(lambda _: self._added())
        for button, deed in ((self._plan, self._planned), (self._step, self._stepped), (self._run, self._ran)):
            button.on_click(self._one_at_a_time(deed))

    def _one_at_a_time(self, deed: Callable[[], None]) -> Callable[[object], None]:
        """What a button does, unless another one is being done."""

        @wraps(deed)
        def done(_: object) -> None:
            if not self._busy.acquire(blocking=False):
                return
            try:
                self._enable(working=True)
                deed()
            except HiermapError as error:
                self.desk.message = str(error)
            finally:
                self.refresh(working=True)
                self._busy.release()
                self._enable()

        return done

    # What the controls do.

    def _clicked(self) -> None:
        """Offer what can be asked of the thing at the cell, once there is a whole cell."""
        words = self._cell.value.split()
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            return
        if not self._busy.acquire(blocking=False):  # what moves is not looked at
            return
        try:
            thing = self.desk.thing_at((int(words[0]), int(words[1])))
        finally:
            self._busy.release()
        self._asking = {self.desk.in_words(predicate): predicate for predicate in self.desk.askable(thing)}
        self._ask.options = tuple(self._asking) or (f"nothing to ask for at {self._cell.value}",)
        self._ask.value = self._ask.options[0]
        self._enable()

    def _added(self) -> None:
        if (predicate := self._asking.get(self._ask.value)) is not None:
            self.desk.goal_text = self._goal.value
            self._goal.value = self.desk.ask(predicate)

    def _planned(self) -> None:
        self.desk.plan(self._goal.value)

    def _stepped(self) -> None:
        shots = len(self.film.shots)
        self.desk.step()
        self.stage.play(new_states(self.film, shots))
        self.stage.show(self.film.state())

    def _ran(self) -> None:
        while self.desk.can_go_on:
            self._stepped()
            self.refresh(working=True)

    # What is shown.

    def refresh(self, working: bool = False) -> None:
        """Show what the desk says now, and the slider at now."""
        self.instants = self.desk.instants()
        last = len(self.instants) - 1
        self._moment.max, self._moment.disabled, self._moment.value = max(last, 1), last == 0, 0
        self._draw()
        self._enable(working)

    def _enable(self, working: bool = False) -> None:
        self._plan.disabled = working
        self._step.disabled = self._run.disabled = working or not self.desk.can_go_on
        self._add.disabled = not self._asking
        self._told.content = str(html('<div style="{}">{}</div>', STYLE, told(self.desk, working)))

    def _draw(self) -> None:
        instant = self.instants[min(int(self._moment.value), len(self.instants) - 1)]
        words = in_words(instant, self._layer.value)
        depth = self.instants[0].view.depth
        assert depth is not None
        drawn = layer(instant, self._layer.value, depth, self.desk.outlines() if instant is self.instants[0] else None)
        click = _CLICK % (CELL, *self.desk.view.frame.shape)
        figure = html(_PICTURE, words, b64encode(drawn).decode(), click, _NAMED, words)
        self._picture.content = str(joined([figure, html('<div style="{}">{}</div>', STYLE, beliefs(instant))]))
