"""The sections of a page that stands alone."""

import json
from base64 import b64encode
from collections.abc import Mapping

import numpy as np

from hiermap.report.page import Html, card, html, joined
from hiermap.report.storyboard import PHOTO, story, strip
from hiermap.view.desk import Desk, Instant
from hiermap.view.pictures import DEPTH, LAYERS, NO_MAP, in_words, layer
from hiermap.view.status import beliefs, told
from hiermap.worlds.goals import in_words as goal_in_words
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.simulator.photograph import Portrait

_FUTURES = """<div class="futures"><label hidden>Future <input type="range" min="0" max="{}" value="0"></label>{}</div>
<style>
.futures input {{ width: 100%; max-width: 420px; display: block; }}
.futures .story {{ grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }}
</style>
<script>
for (const box of document.querySelectorAll(".futures")) {{
  const slider = box.querySelector("input"), parts = [...box.querySelectorAll("article")];
  const show = () => {{
    parts.forEach((part, index) => part.hidden = index !== +slider.value);
    slider.setAttribute("aria-valuetext", parts[+slider.value].querySelector("h3").textContent);
  }};
  slider.addEventListener("input", show);
  slider.parentElement.hidden = parts.length < 2;
  show();
}}
</script>"""
"""Where no script runs, all futures stand below each other."""
_STAGE = '<iframe title="{}" style="width:100%;height:min(70vh,560px);border:0;display:block" srcdoc="{}"></iframe>'
_PICTURE = '<figure class="scene"><img src="data:image/png;base64,{}" alt="{}"><figcaption>{}</figcaption></figure>'


def heading(desk: Desk) -> Html:
    """What is asked, planned and done, in words."""
    return html("<h1>Kitchen {}</h1>{}", desk.problem.task.seed, card("The task", told(desk)))


def stage(film: Film) -> Html:
    """The kitchen in 3-D, and the robot's motion if it has moved; needs the extra `view`."""
    from hiermap.view.stage import recorded

    words = "The kitchen in 3-D" + (", and what the robot did" if film.shots else "")
    return card(f"{words}: drag to turn it", html(_STAGE, words, recorded(film)))


def photographs(desk: Desk, film: Film) -> Html:
    """The kitchen at first, and after every primitive that was run."""
    about = {
        "task": desk.problem.task.suite,
        "seed": desk.problem.task.seed,
        "goal": goal_in_words(desk.problem.goal.predicates, desk.called),
        "outcome": desk.outcome.failure_reason if desk.outcome is not None else "",
        "success": bool(desk.outcome),
    }
    told_by = strip(json.loads(story(film, Portrait(film.scene, PHOTO), about)))
    return card("What the robot did" if film.shots else "The kitchen with its robot", told_by)


def futures(desk: Desk) -> Html:
    """What is seen now and imagined after every step of the plan, each with the five maps, behind a slider."""
    instants = desk.instants()
    like = instants[0].view.depth
    assert like is not None
    articles = [_instant(instant, like, {} if number else desk.outlines()) for number, instant in enumerate(instants)]
    what = "What is seen, the five maps" + (", and the futures that the plan imagines" if len(instants) > 1 else "")
    return card(what, html(_FUTURES, len(instants) - 1, joined(articles)))


def _instant(instant: Instant, like: np.ndarray, outlines: Mapping[str, np.ndarray]) -> Html:
    names = [name for name in LAYERS if name != DEPTH or instant.view.depth is not None]
    pictures = []
    for name in names:
        words = in_words(instant, name)
        drawn = layer(instant, name, like, outlines if name == NO_MAP else None)
        pictures.append(html(_PICTURE, b64encode(drawn).decode(), words, words))
    form = '<article><h3>{}</h3><div class="story">{}</div>{}</article>'
    return html(form, instant.words, joined(pictures), beliefs(instant))
