"""What pictures of the variants call claims, their parts, figures and choices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

GAP = "RFLO over BPTT, final loss"
ERROR = "RFLO over BPTT, error of the peak"
LOCAL = {"behind BPTT": "local over BPTT, final loss", "as RFLO": "local over RFLO, final loss"}
FREE = "random feedback over BPTT, final loss"


@dataclass(frozen=True)
class Said:
    """A claim in few words, and what its number is: of the parts whose name ends in a key of `by_part`, that."""

    claim: str
    effect: str = "effect"
    by_part: Mapping[str, str] = field(default_factory=dict)


CLAIMS = {
    "comparable at short periods": Said("RFLO ends about as low as BPTT", GAP),
    "BPTT ahead at long periods": Said("BPTT ends lower than RFLO", GAP),
    "alignment rises": Said("Wout aligns with B", "cosine of Wout and B, rise in training"),
    "more alignment at shorter periods": Said(
        "Wout aligns more at shorter periods", "cosine of Wout and B, per tenfold period"
    ),
    "locality explains the gap": Said("local alone explains the gap", by_part=LOCAL),
    "random feedback costs nothing": Said("random feedback is free", FREE),
    "as good on intervals to 15 tau": Said("RFLO matches intervals as well as BPTT", ERROR),
    "behind on longer intervals": Said("RFLO falls behind on longer intervals", ERROR),
    "the loop beats the whole sequence": Said(
        "the loop beats the whole sequence at once", "loss without the loop, over with it"
    ),
    "locality explains the gap at every period": Said("local alone explains the gap", by_part=LOCAL),
    "random feedback costs nothing at any period": Said("random feedback is free", FREE),
    "Dale's law costs little": Said("Dale's law costs little", "with over without Dale's law, final loss"),
    "both beat readout only": Said("training both beats the readout only", "readout only over both, final loss"),
    "recurrent only fails": Said("recurrent weights alone fail", "final over first loss"),
    "larger networks help": Said("more units help", "final loss, per tenfold N"),
    "larger initial weights help": Said("larger initial weights help", "final loss, per unit of g"),
}
PARTS = {
    "as RFLO": "as good as RFLO",
    "RFLO without the loop": "by RFLO",
    "BPTT without the loop": "by BPTT",
    "to 15 τ": "delays up to 15 τ",
    "to 20 τ": "delays up to 20 τ",
    "to 25 τ": "delays up to 25 τ",
}
FIGURES = {
    "fig2": "Figure 2: periodic task, N = 30",
    "fig3": "Figure 3: interval matching",
    "fig4": "Figure 4: a sequence of movements",
    "fig2-locality": "Figure 2d at other periods (ours)",
    "fig2-dale": "Figure 2, supplement 1: Dale's law",
    "fig2-readout": "Figure 2, supplement 2: what is trained",
    "fig2-size": "Figure 2, supplement 3: size and weights",
}
CHOICES = {
    "h0": "initial state",
    "readout_scale": "initial readout",
    "clip": "gradient clipping",
    "next_error": "error in BPTT",
    "online": "updates",
    "n_trials": "trials",
    "n_rec": "units",
    "reset_state": "between trials",
    "per_trial_average": "size of an update",
    "per_batch_average": "updates",
    "period_tau": "period",
    "input_height": "inputs",
    "amplitude": "inputs",
    "channels": "number of inputs",
    "shortest_tau": "shortest delay",
    "first_tau": "first pulse",
    "first_spread_tau": "jitter",
    "tail_tau": "end of a trial",
    "input_in_hold": "input in a hold",
    "profile": "speed",
    "bound": "bounds of the cursor",
    "read_at": "when the loop reads",
    "moves": "movements",
    "run_from": "final run",
    "whole": "whole sequence",
    "eta_s": "rate of Ws",
}


def claim(name: str) -> str:
    """A claim in few words."""
    return CLAIMS.get(name, Said(name)).claim


def effect(name: str, part: str) -> str:
    """What the number of a part of a claim is."""
    found = CLAIMS.get(name, Said(name))
    return next((text for end, text in found.by_part.items() if part.endswith(end)), found.effect)


def part(name: str) -> str:
    """A part of a claim."""
    period, comma, rest = name.rpartition(", ")
    return f"{period}{comma and ': '}{PARTS.get(rest, rest)}"


def figure(command: str) -> str:
    """A figure, by its command."""
    return FIGURES.get(command, command)


def choice(name: str) -> str:
    """A choice, by the name of its field."""
    return CHOICES.get(name, name.replace("_", " "))


def slug(name: str) -> str:
    """What a claim's file is called."""
    return re.sub(r"[^a-z0-9]+", "-", name.replace("'", "").lower()).strip("-")
