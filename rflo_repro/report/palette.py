"""What every picture calls a rule, and its colour. No matplotlib is loaded for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

# The captions name magenta, cyan, red, blue and grey; the others are from the Okabe-Ito palette.
COLOURS = {
    "bptt": "#222222",
    "bptt-published": "#0072B2",
    "rflo": "#009E73",
    "rtrl": "#0072B2",
    "local": "#D5008F",
    "random-feedback": "#00AEDB",
    "untrained": "#999999",
    "readout-only": "#E69F00",
    "recurrent-only": "#7B4FA3",
    "snap-0": "#A6761D",
    "snap-1": "#0072B2",
    "snap-1-random": "#7FB2D9",
    "uoro": "#D62728",
    "kf-rtrl": "#8C1A1A",
    "node-perturbation": "#5E7D00",
    "reward-hybrid": "#9DBB3C",
    "force": "#CC5500",
    "dale": "#0072B2",
    "tuned": "#CC5500",
    "red": "#D62728",
    "blue": "#1F5FBF",
}
NAMES = {
    "bptt": "BPTT",
    "bptt-published": "BPTT as published",
    "rflo": "RFLO",
    "rtrl": "RTRL",
    "local": "local",
    "random-feedback": "random feedback",
    "untrained": "untrained",
    "readout-only": "readout only",
    "recurrent-only": "recurrent only",
    "snap-0": "SnAp-0",
    "snap-1": "SnAp-1",
    "snap-1-random": "SnAp-1, random feedback",
    "uoro": "UORO",
    "kf-rtrl": "KF-RTRL",
    "node-perturbation": "node perturbation",
    "reward-hybrid": "hybrid of reward and error",
    "force": "FORCE",
}
# Those of whatever has no colour above
OTHERS = ("#56B4E9", "#A6761D", "#B2508A", "#5E7D00", "#8F5B5B", "#3D6E8F")
GOLDEN = 0.618  # of the hues of whatever OTHERS has no colour for


def colour(name: str) -> str:
    """A rule's colour: of COLOURS, or for one that is not listed there always the same of OTHERS."""
    return COLOURS.get(name) or OTHERS[sum(name.encode()) % len(OTHERS)]


def colours(names: Sequence[str]) -> dict[str, str]:
    """The colours of one picture's rules: each its own as long as no rule before it has that one."""
    found: dict[str, str] = {}
    for i, rule in enumerate(names):
        first = sum(rule.encode()) % len(OTHERS)
        hues = (_hue(GOLDEN * (i + n) % 1.0) for n in itertools.count())
        own = (COLOURS.get(rule), *OTHERS[first:], *OTHERS[:first])
        found[rule] = next(c for c in itertools.chain(own, hues) if c and c not in found.values())
    return found


def name(rule: str) -> str:
    """What a picture calls a rule."""
    return NAMES.get(rule, rule)


def _hue(hue: float) -> str:
    from matplotlib.colors import hsv_to_rgb, to_hex

    return to_hex(tuple(hsv_to_rgb((hue, 0.75, 0.65)).tolist()))
