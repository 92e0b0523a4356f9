"""The page of one tab: knobs on the left, networks that learn on the right, the same in Python below."""

from __future__ import annotations

import time
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    CategoricalSlider,
    ColumnDataSource,
    CustomJS,
    Div,
    FixedTicker,
    GlyphRenderer,
    Legend,
    LegendItem,
    PreText,
    Range1d,
    Select,
    Spinner,
)
from bokeh.plotting import figure
from jinja2 import Environment

from rflo_repro.explorer.knobs import KINDS, LARGEST_SEED, PRESETS, TAU, VALUES, Knobs
from rflo_repro.explorer.trainings import Trainings
from rflo_repro.report import palette

if TYPE_CHECKING:
    from rflo_repro.learning.validate import Array

MILLISECONDS = 80
MOST_RULES = 3
OUTPUT_POINTS = 500
NONE, OWN = "none", "your own"
# a first piece that takes longer is being compiled
COMPILES_SECONDS = 1.5
# of losses that are shown, in units of the zero-output loss; above it they explode
FARTHEST = 100.0
# how far several outputs are apart, and the room above and below, in units of the targets' range
APART, ROOM = 1.3, 0.25
MANY_DECADES = 1e4
TITLES = {
    "n_rec": "units N",
    "g": "g, scale of the initial recurrent weights",
    "n_trials": "trials",
    "phi": "activation φ",
    "clip": "clip, largest norm of an update",
    "batch": "trials between updates",
    "h0": "initial state h(0)",
    "readout_scale": "scale of the initial readout",
}
GREY, PALE = "#9A9A9A", "#C9CFCB"


def said(value: Any) -> str:
    """A knob's value as its label has it."""
    return NONE if value is None else value if isinstance(value, str) else f"{value:,}" if value >= 1 else f"{value:g}"


class Choice:
    """A knob that is one of several values: a slider of them, or a list of names."""

    def __init__(self, title: str, values: tuple[Any, ...], value: Any, name: str = "") -> None:
        self.values = {said(one): one for one in values}
        about = {"title": title, "value": said(value), "name": name, "sizing_mode": "stretch_width"}
        self.widget: Any
        if isinstance(values[0], str):
            self.widget = Select(options=[*self.values], **about)
        else:
            self.widget = CategoricalSlider(categories=[*self.values], height=40, **about)

    @property
    def value(self) -> Any:
        """Where it stands."""
        return self.values[self.widget.value]

    def set(self, value: Any) -> None:
        """Move it."""
        self.widget.value = said(value)

    def limit(self, title: str, values: tuple[Any, ...]) -> None:
        """Give it other values; it stays where it was, or goes to the nearest one."""
        if tuple(self.values.values()) != values:
            nearest = min(values, key=lambda one: abs(np.log(one / self.value)))
            self.values = {said(one): one for one in values}
            self.widget.update(title=title, categories=[*self.values], value=said(nearest))


class KnobPanel:
    """All knobs, as widgets."""

    def __init__(self, knobs: Knobs) -> None:
        self.preset = Select(
            name="preset", title="preset", options=[*PRESETS, OWN], value=OWN, sizing_mode="stretch_width"
        )
        self.preset.on_change("value", lambda _, __, name: self.set(PRESETS[name]) if name in PRESETS else None)
        self.task = Choice("task", tuple(KINDS), knobs.task)
        self.length = Choice("", knobs.kind.lengths, knobs.length)
        self.rules = [
            Choice(f"rule {i + 1}", (*VALUES["rule"], *([NONE] if i else [])), NONE if i else VALUES["rule"][0])
            for i in range(MOST_RULES)
        ]
        self.etas = [Choice("learning rate", VALUES["eta"], 0.03) for _ in range(MOST_RULES)]
        self.others = {name: Choice(title, VALUES[name], getattr(knobs, name), name) for name, title in TITLES.items()}
        self.seed = Spinner(
            title="seed", value=knobs.seed, low=0, high=LARGEST_SEED, step=1, mode="int", sizing_mode="stretch_width"
        )
        self.last_seed = knobs.seed
        self.set(knobs)

    def set(self, knobs: Knobs) -> None:
        """Move every knob to where these are."""
        self.task.set(knobs.task)
        self._limit()
        self.length.set(knobs.length)
        given = [*knobs.rules, *[(NONE, 0.03)] * (MOST_RULES - len(knobs.rules))]
        for rule, eta, (name, rate) in zip(self.rules, self.etas, given, strict=True):
            rule.widget.options = [*rule.values]
            rule.set(name)
            eta.set(rate)
        for name, choice in self.others.items():
            choice.set(getattr(knobs, name))
        self.seed.value = knobs.seed

    def _limit(self) -> None:
        kind = KINDS[self.task.value]
        self.length.limit(f"{kind.label}, in τ", kind.lengths)
        self.length.widget.title = f"{kind.label}, in τ"

    def read(self) -> Knobs:
        """Where the knobs are. What can no longer be chosen is taken away, so that a rule is not there twice."""
        self._limit()
        names = [rule.widget.value for rule in self.rules]
        for i, (rule, eta) in enumerate(zip(self.rules, self.etas, strict=True)):
            others = {name for k, name in enumerate(names) if k != i} - {NONE}
            if names[i] in {*names[:i]} - {NONE}:  # chosen in two lists before either knew of the other
                rule.widget.value = names[i] = NONE
            rule.widget.options = [name for name in rule.values if name not in others]
            eta.widget.disabled = names[i] == NONE
        seed = self.seed.value
        if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            self.seed.value = seed = self.last_seed
        self.last_seed = seed
        found = Knobs(
            self.task.value,
            self.length.value,
            tuple((name, eta.value) for name, eta in zip(names, self.etas, strict=True) if name != NONE),
            seed=seed,
            **{name: choice.value for name, choice in self.others.items()},
        )
        self.preset.value = next((name for name, preset in PRESETS.items() if preset == found), OWN)
        return found

    def layout(self, *buttons: Button) -> Any:
        """All of them below each other, the buttons between what is learned and how."""
        pairs = [
            row(r.widget, e.widget, sizing_mode="stretch_width") for r, e in zip(self.rules, self.etas, strict=True)
        ]
        others = [choice.widget for choice in self.others.values()]
        return column(
            self.preset,
            row(*buttons, sizing_mode="stretch_width"),
            self.task.widget,
            self.length.widget,
            *pairs,
            self.seed,
            *others,
            name="knobs",
            sizing_mode="stretch_width",
        )


def picture(name: str, x: str, y: str, **more: Any) -> Any:
    """Empty axes in the suite's look."""
    axes = figure(
        name=name, x_axis_label=x, y_axis_label=y, sizing_mode="stretch_both", toolbar_location=None, tools="",
        min_border=4, outline_line_color=None, **more,
    )  # fmt: skip
    axes.grid.grid_line_color = "#EEF0EE"
    for axis in axes.axis:
        axis.update(
            axis_line_color="#888888", major_tick_line_color="#888888", minor_tick_line_color=None,
            axis_label_text_font_style="normal", axis_label_text_font_size="12px", major_label_text_font_size="12px",
        )  # fmt: skip
    return axes


class Pictures:
    """Loss, output and alignment, with a line for each rule."""

    def __init__(self) -> None:
        self.trials, self.apart = Range1d(1, 10), 0.0
        along = {"x_axis_type": "log", "x_range": self.trials}
        self.losses, self.heights = Range1d(0.0, 0.0), Range1d(0.0, 1.0)
        self.zero = ColumnDataSource({"x": [], "y": []})
        self.loss = picture("loss", "trial", "loss", y_axis_type="log", y_range=self.losses, **along)
        self.alignment = picture("alignment", "trial", "alignment", y_range=Range1d(-1.05, 1.05), **along)
        self.output = picture("output", "time  (τ)", "output", y_range=self.heights)
        self.alignment.yaxis.ticker = FixedTicker(ticks=[-1, -0.5, 0, 0.5, 1])
        zero = self.loss.line("x", "y", source=self.zero, color=GREY, line_dash="dashed", line_width=1.5)
        self.curves = [ColumnDataSource({"trial": [], "loss": [], "alignment": []}) for _ in range(MOST_RULES)]
        self.outputs = [ColumnDataSource({"x": [], "y": []}) for _ in range(MOST_RULES + 2)]
        target = self.output.multi_line("x", "y", source=self.outputs[-1], color=PALE, line_width=7)
        inputs = self.output.multi_line("x", "y", source=self.outputs[-2], color=GREY, line_dash="dotted")
        self.drawn: list[Array | None] = [None] * MOST_RULES
        self.lines: list[list[GlyphRenderer]] = []
        for i, (curve, output) in enumerate(zip(self.curves, self.outputs, strict=False)):
            self.lines.append(
                [
                    self.loss.line("trial", "loss", source=curve, line_width=2, name=f"curve {i + 1}"),
                    self.alignment.line("trial", "alignment", source=curve, line_width=2),
                    self.output.multi_line("x", "y", source=output, line_width=2),
                ]
            )
        self.references = {"zero": zero, "target": target, "inputs": inputs}
        self.loss.add_layout(_legend([]), "right")
        self.output.add_layout(_legend([("target", target), ("input", inputs)]), "above")

    def begin(self, trainings: Trainings) -> None:
        """Empty axes for other trainings."""
        knobs = trainings.knobs
        self.trials.end = knobs.n_trials
        self.zero.data = {"x": [1, knobs.n_trials], "y": [trainings.zero_output_loss] * 2}
        colours, names = palette.colours([*trainings.sessions]), [*trainings.sessions]
        for i, lines in enumerate(self.lines):
            self.curves[i].data = {"trial": [], "loss": [], "alignment": []}
            self.outputs[i].data, self.drawn[i] = {"x": [], "y": []}, None
            for line in lines:
                line.visible = i < len(names)
                line.glyph.line_color = colours[names[i]] if i < len(names) else GREY
        items = [(palette.name(name), self.lines[i][0]) for i, name in enumerate(names)]
        self.loss.legend[0].items = _items([*items, ("output always zero", self.references["zero"])])
        n_in, n_out = trainings.inputs.shape[1], trainings.targets.shape[1]
        low, high = float(np.nanmin(trainings.targets)), float(np.nanmax(trainings.targets))
        # several outputs are above each other, each with the input that is its own, if it has one
        several, with_input = n_out > 1, n_in > 0 and (n_out == 1 or n_in == n_out)
        self.apart = APART * (high - low) if several else 0.0
        self.heights.update(start=low - ROOM * (high - low), end=high + ROOM * (high - low) + self.apart * (n_out - 1))
        self.output.yaxis.axis_label = f"outputs 1 to {n_out}, from below" if several else "output"
        self.output.yaxis.major_label_text_color = None if several else "#444444"
        self._draw(self.outputs[-1], trainings.targets)
        self._draw(self.outputs[-2], trainings.inputs if with_input else trainings.inputs[:, :0])
        self.output.legend[0].items[1].visible = with_input
        self._decades(0.01, 1.0)

    def show(self, trainings: Trainings) -> None:
        """What is new."""
        farthest = FARTHEST * trainings.zero_output_loss
        for i, (curve, rule) in enumerate(zip(self.curves, trainings.sessions, strict=False)):
            new = trainings.curve(rule, len(curve.data["trial"]))
            if len(new.trial):
                curve.stream({name: list(values) for name, values in vars(new).items()})
            values = trainings.outputs.get(rule)
            if values is not None and values is not self.drawn[i]:
                self.drawn[i] = values
                self._draw(self.outputs[i], np.clip(values, -FARTHEST, FARTHEST))
        seen = np.concatenate([np.array(curve.data["loss"], dtype=float) for curve in self.curves])
        seen = seen[(seen > 0.0) & (seen < farthest)]
        if len(seen):
            low = 10.0 ** np.floor(np.log10(seen.min()))
            self._decades(low, max(10.0 ** np.ceil(np.log10(seen.max())), 100.0 * low))

    def _decades(self, low: float, high: float) -> None:
        """The axis of the loss, with a number a decade, and one between where there are few."""
        if (low, high) != (self.losses.start, self.losses.end):
            sizes = (1.0, 3.0) if high / low < MANY_DECADES else (1.0,)
            decades = np.arange(round(np.log10(low)), round(np.log10(high)) + 1)
            ticks = [float(f"{size}e{decade}") for decade in decades for size in sizes]
            self.losses.update(start=float(low), end=float(high))
            self.loss.yaxis.ticker = FixedTicker(ticks=ticks)
            self.loss.yaxis.major_label_overrides = {tick: f"{tick:g}" for tick in ticks}

    def _draw(self, source: ColumnDataSource, values: Any) -> None:
        step = np.arange(0, len(values), max(1, len(values) // OUTPUT_POINTS))
        n = values.shape[1]
        source.data = {"x": [(step + 1.0) / TAU] * n, "y": [values[step, i] + self.apart * i for i in range(n)]}


def _items(named: list[tuple[str, GlyphRenderer]]) -> list[LegendItem]:
    return [LegendItem(label=name, renderers=[line]) for name, line in named]


def _legend(named: list[tuple[str, GlyphRenderer]]) -> Any:
    horizontal = {"orientation": "horizontal"} if named else {}
    return Legend(items=_items(named), border_line_color=None, label_text_font_size="12px", padding=2, **horizontal)


def table(trainings: Trainings, state: str) -> str:
    """How far each training is, as HTML."""
    colours = palette.colours([*trainings.sessions])
    head = "rule", "learning rate", "trials", "loss in the last of them", "alignment"
    rows = []
    for rule, eta in trainings.knobs.rules:
        history = trainings.histories.get(rule)
        cells = [f"<b style='color:{colours[rule]}'>{palette.name(rule)}</b>", f"{eta:g}"]
        if history is not None:
            ended = ", diverged" if history.diverged else ""
            numbers = f"{len(history.loss):,}{ended}", repr(float(history.loss[-1])), f"{history.alignment[-1]:.3f}"
            cells += numbers
        rows.append("".join(f"<td>{cell}</td>" for cell in [*cells, "", "", ""][: len(head)]))
    said = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><tr>{said}</tr>{''.join(f'<tr>{line}</tr>' for line in rows)}</table><p>{state}</p>"


TABLE = """
table { border-collapse: collapse; font: 13px/1.5 system-ui, "DejaVu Sans", sans-serif; width: 100%; }
th { text-align: left; font-weight: 600; color: #444; border-bottom: 1px solid #dcdfdc; }
td, th { padding: 3px 14px 3px 0; font-variant-numeric: tabular-nums; }
p { margin: 6px 0 0; color: #444; font: 13px system-ui, "DejaVu Sans", sans-serif; }
"""
CODE = "pre { font: 12px/1.45 ui-monospace, 'DejaVu Sans Mono', monospace; white-space: pre-wrap; margin: 0; }"


class Page:
    """A tab's knobs, its trainings and its pictures, which a clock brings together."""

    def __init__(self, document: Document) -> None:
        first = next(iter(PRESETS.values()))
        self.panel, self.pictures = KnobPanel(first), Pictures()
        self.trainings, self.held = Trainings(first), False
        self.button = Button(name="start", label="Pause", button_type="success", sizing_mode="stretch_width")
        self.reset = Button(label="Reset", sizing_mode="stretch_width")
        self.button.on_click(self._press)
        self.reset.on_click(self._take_back)
        self.results = Div(name="results", stylesheets=[TABLE], sizing_mode="stretch_width")
        self.python, self.commands = (
            PreText(name=name, stylesheets=[CODE], sizing_mode="stretch_width") for name in ("python", "commands")
        )
        self._begin(first, held=False)
        roots = (
            self.panel.layout(self.button, self.reset),
            self.pictures.loss,
            self.pictures.output,
            self.pictures.alignment,
            self.results,
            *self._code(),
        )
        with document.models.freeze():  # else all models are looked for anew at each of them
            for root in roots:
                document.add_root(root)
        document.template = Environment().from_string(
            resources.files("rflo_repro.explorer").joinpath("page.html").read_text("utf-8")
        )
        document.title = "rflo-repro explore"
        document.add_periodic_callback(self.tick, MILLISECONDS)
        document.on_session_destroyed(lambda _: self.trainings.stop())

    def _code(self) -> list[Any]:
        found = []
        for title, text in (("The same in Python", self.python), ("The same as commands", self.commands)):
            copy = Button(label="Copy", width=70)
            copy.js_on_click(CustomJS(args={"text": text}, code="navigator.clipboard.writeText(text.text)"))
            head = row(copy, Div(text=f"<b>{title}</b>", styles={"font-size": "13px", "line-height": "30px"}))
            found.append(column(head, text, name=f"{text.name} box", sizing_mode="stretch_width"))
        return found

    def _begin(self, knobs: Knobs, held: bool) -> None:
        """Other trainings, which begin unless they are held."""
        self.trainings.stop()
        self.trainings, self.held, self.since = Trainings(knobs), held, time.monotonic()
        self.trainings.start(learn=not held)
        self.pictures.begin(self.trainings)
        self.python.text = knobs.python()
        commands = [command.replace(" --trials", " \\\n    --trials") for command in knobs.commands()]
        self.commands.text = "\n\n".join(commands) or "No figure trains such networks."

    def _take_back(self) -> None:
        """Back to the initial network, which waits."""
        self._begin(self.trainings.knobs, held=True)

    def _press(self) -> None:
        if self.trainings.finished:
            self._begin(self.trainings.knobs, held=False)
            return
        self.held = not self.held
        if self.held:
            self.trainings.stop()

    def tick(self) -> None:
        """Begin anew if a knob was moved, and show what is new."""
        knobs = self.panel.read()
        if knobs != self.trainings.knobs:
            self._begin(knobs, self.held)
        if not self.held:
            self.trainings.start()
        # asked first: what is learned meanwhile is shown by the next tick
        finished, begun = self.trainings.finished, bool(self.trainings.histories)
        self.pictures.show(self.trainings)
        self.button.label = "Again" if finished else "Pause" if not self.held else "Resume" if begun else "Start"
        self.results.text = table(self.trainings, self._state())

    def _state(self) -> str:
        trainings = self.trainings
        if trainings.error:
            return trainings.error
        n_trials = sum(len(history.loss) for history in trainings.histories.values())
        if trainings.running and not n_trials and time.monotonic() - self.since > COMPILES_SECONDS:
            return "The first training by a rule compiles it, once on a machine, which takes up to a minute."
        return f"{n_trials:,} trials in {trainings.seconds:.2f} s of training"
