"""What a timestep of a rule costs, counted: multiply-adds of the products, which hold for every machine."""

from __future__ import annotations

from rflo_repro.learning.rules import LearningRule


def multiply_adds(rule: LearningRule, n_rec: int, n_in: int, n_out: int) -> float:
    """Over those of the forward pass alone, for networks of N units, Nx inputs and Ny readouts (docs/rules.md).

    What is of the order of N alone is left out: activation functions, filters, the signs' draws.
    Raises ValueError for a rule whose cost is not known.
    """
    drive, readout = n_rec * (n_rec + n_in), n_rec * n_out
    forward = drive + readout
    own = readout if "w_out" in rule.trains else 0
    if rule.form == "rls":
        # the inverse correlation matrix times h, and its change
        return (forward + own + 2 * n_rec * n_rec) / forward
    if not {"w_in", "w_rec"} & {*rule.trains}:
        return (forward + own) / forward
    # the error fed back, and the sum over time of one outer product
    credit = readout + drive
    square = n_rec * n_rec
    if rule.form == "filtered":
        carried = square if rule.carry == "full" else 0
    elif rule.form == "forward":
        # every unit's dependence on every weight goes through W
        carried = square * drive
    elif rule.form == "uoro":
        # W times a vector a draw; the draws share the outer product
        carried = rule.draws * square
    elif rule.form == "kf":
        carried = rule.draws * (square * n_rec + square)
    elif rule.form == "perturbation":
        # a run with noise beside the one without
        carried = rule.draws * forward
    else:
        raise ValueError(f"the cost of the form {rule.form!r} is not known")
    return (forward + own + credit + carried) / forward
