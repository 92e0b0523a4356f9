"""What the reference runs do not reach of the numerical path: each line is listed here, with why no number is its."""

import ast
import json
import os
import subprocess
import sys
from functools import cache

import pytest

from rflo_repro.runs import provenance

PROGRAM = """
import json, sys
import coverage
measured = coverage.Coverage(source=sys.argv[1:], data_file=None)
measured.start()
from rflo_repro.studies.small_runs import small_runs
for _ in small_runs():
    pass
measured.stop()
print(json.dumps({path: measured.analysis2(path)[3] for path in measured.get_data().measured_files()}))
"""
# jobs are Python: they are run compiled, and all but those whose trials are many
JOBS = """
import json, sys
import coverage
import numpy as np
measured = coverage.Coverage(source=["rflo_repro." + room for room in sys.argv[1:]], data_file=None)
measured.start()
from rflo_repro.runs import provenance
from rflo_repro.studies import reference_runs, small_runs
seen, modules = set(), set()
for name, job in reference_runs.jobs().items():
    modules |= provenance.modules_of(job)
    if name.startswith(("smoke", "study")) and job not in seen:
        seen.add(job)
        job.run(lambda trials: None)
with np.errstate(all="ignore"):
    for _ in (*small_runs._of_jobs(), *small_runs._of_the_rest()):
        pass
measured.stop()
files = {str(provenance.PACKAGE / name) for name in modules}
assert files <= set(measured.get_data().measured_files())
print(json.dumps({path: measured.analysis2(path)[3] for path in files}))
"""

MEASURED = ("rflo_repro.learning", "rflo_repro.tasks")

# Lines without a number of a result in them, by module, function and, where the rest of the function has numbers, how
# the line begins; `raise` statements, and handlers that end in one, need no entry.
COMPILED = "it makes machine code, which every compiled reference runs; without compilation its NumPy twin is run"
SHOWN = "text for people"
SIZE = "an estimate of memory"
STEPS = "no table is made by it; tests compare its bits with those of online training"
ALLOWED = {
    ("learning/kernels/_cache.py", "*"): "where compiled code is kept; what is damaged is compiled anew",
    ("learning/kernels/registers.py", "*"): "which processor to compile for: the order of sums is the same",
    ("learning/kernels/products.py", "_rolled"): COMPILED,
    ("learning/kernels/products.py", "_Loop.*"): COMPILED,
    ("learning/kernels/products.py", "_by_size.*"): COMPILED,
    ("learning/kernels/products.py", "_tile.emit_size"): COMPILED,
    ("learning/kernels/products.py", "_short.emit_size*"): COMPILED,
    ("learning/kernels/vector.py", "specialise"): COMPILED,
    ("learning/kernels/vector.py", "specialise.is_usual"): COMPILED,
    ("learning/kernels/vector.py", "specialise.compiled"): COMPILED,
    ("learning/kernels/vector.py", "_VectorModel.*"): COMPILED,
    ("learning/kernels/vector.py", "_arithmetic.*"): COMPILED,
    ("learning/kernels/vector.py", "primitive"): COMPILED,
    ("learning/kernels/vector.py", "primitive.*"): COMPILED,
    ("learning/kernels/vector.py", "_call"): COMPILED,
    ("learning/kernels/vector.py", "at"): COMPILED,
    ("learning/kernels/vector.py", "multiply_add"): COMPILED,
    ("learning/kernels/vector.py", "spread"): COMPILED,
    ("learning/kernels/vector.py", "constant"): COMPILED,
    ("learning/kernels/vector.py", "aligned_to_double"): COMPILED,
    ("learning/kernels/vector.py", "_emit_*"): COMPILED,
    ("learning/learner.py", "*"): STEPS,
    ("learning/kernels/steps.py", "*"): STEPS,
    ("learning/kernels/traces.py", "trace_gradient"): "another form of `gradient`, with which only tests compare it",
    (
        "learning/checkpoint.py",
        "restore",
        "rng.bit_generator.seed_seq.spawn(",
    ): "generators that had children: `SeedSequence.spawn` is NumPy's",
    ("learning/evaluate.py", "Run.u"): "what no table has",
    ("learning/files.py", "*"): "how a file is written over",
    ("learning/history.py", "History.exploded"): "a flag that no table has",
    ("learning/history.py", "History.rule"): SHOWN,
    ("learning/history.py", "History.save"): "a file of the user's, which is read back bit by bit in a test",
    ("learning/history.py", "History.load*"): "a file of the user's, which is read back bit by bit in a test",
    ("learning/history.py", "History.plot"): SHOWN,
    ("learning/progress_line.py", "*"): SHOWN,
    ("learning/scores.py", "Evaluation.*"): "spreads that no table has",
    ("learning/validate.py", "hint"): SHOWN,
    ("learning/train.py", "train", "return replace(begun"): "a training that had stopped before it was resumed",
    ("tasks/reber.py", "EmbeddedReberTask.n_steps"): SIZE,
    ("tasks/two_choices.py", "EvidenceTask.n_steps"): SIZE,
    ("tasks/from_neurogym.py", "*"): "another package's environments, which no table is made with",
    ("learning/history.py", "History.__reduce__"): "how a history is sent to another process, without its course",
    ("learning/network.py", "Network.__repr__"): SHOWN,
    ("learning/resume.py", "_plain"): "whose a checkpoint is: another's is refused",
    ("learning/task.py", "longest_trial"): SIZE,
    ("learning/validate.py", "one_of"): "a name in another spelling, or one that is refused",
    ("learning/validate.py", "_plain"): "a name in another spelling",
    ("runs/session.py", "Session.stages", "return"): "the course of a training that diverged ends",
    ("learning/rules.py", "_or"): SHOWN,
    ("learning/trial_source.py", "TrialSource.block", "break"): "where a kernel call ends, which no number depends on",
    ("learning/train.py", "_check_together", "name = "): SHOWN,
    ("learning/train.py", "_check_together", "needed = "): SHOWN,
    ("*", "*", "got = "): SHOWN,
    ("learning/validate.py", "short_repr"): SHOWN,
    ("learning/validate.py", "ShortRepr.__repr__"): SHOWN,
    ("learning/validate.py", "unmasked"): "lists and masked arrays, which are refused",
    ("learning/validate.py", "integer", "allowed = "): SHOWN,
    ("learning/validate.py", "real", "except OverflowError"): "what is not finite is refused",
    ("learning/validate.py", "real", "number = math.inf"): "what is not finite is refused",
    ("learning/validate.py", "real", "least = "): SHOWN,
    ("learning/validate.py", "real", "allowed = "): SHOWN,
    ("learning/validate.py", "immutable", "return False"): "arrays of other types, which are copied",
    ("learning/validate.py", "generator", "made = "): SHOWN,
    ("runs/initialisation.py", "Initialisation.plain"): SIZE,
    ("*", "*.n_trials"): SIZE,
    ("*", "*.cost"): SIZE,
    ("*", "*.trained"): "the network of a result, which `with_weights` makes of its arrays",
}


@cache
def places(path):
    """Of a module: the function of each line, and the lines that only lead to an error."""
    tree = ast.parse((provenance.PACKAGE / path).read_text(encoding="utf-8"))
    functions, errors = {}, set()

    def walk(node, name):
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner = [*name, child.name]
            if isinstance(child, ast.ExceptHandler) and isinstance(child.body[-1], ast.Raise):
                errors.update(range(child.lineno, child.end_lineno + 1))
            if isinstance(child, ast.Raise):
                errors.update(range(child.lineno, child.end_lineno + 1))
            if hasattr(child, "lineno"):
                functions.update(
                    dict.fromkeys(range(child.lineno, child.end_lineno + 1), ".".join(inner) or "<module>")
                )
            walk(child, inner)

    walk(tree, [])
    return functions, errors


def allowed(path, line):
    """The entry that a line has, `error` for one that only leads to one, or None."""
    functions, errors = places(path)
    if line in errors:
        return "error"
    text = (provenance.PACKAGE / path).read_text(encoding="utf-8").splitlines()[line - 1].strip()
    for entry in ALLOWED:
        module, function, *begins = entry
        if is_of(path, module) and is_of(functions[line], function) and text.startswith(tuple(begins) or ""):
            return entry
    return None


def is_of(name, entry):
    """Whether a module or a function is meant by an entry, which may have a `*`."""
    before, star, after = entry.partition("*")
    return name == entry or (star != "" and name.startswith(before) and name.endswith(after))


def missed_by(program, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    return {os.path.relpath(path, provenance.PACKAGE): lines for path, lines in json.loads(done.stdout).items()}


@pytest.mark.long
def test_what_the_references_do_not_run_cannot_touch_a_number():
    """Kernels without compilation, which runs them in Python. `pytest -s` prints the lines."""
    kernels = missed_by(PROGRAM, *MEASURED, NUMBA_DISABLE_JIT="1")
    assert len(kernels) > 25
    seen, wrong = set(), []
    jobs = missed_by(JOBS, "runs", "paper", "studies", "tasks")
    # tasks are Python as well, and either runs them
    both = {path: sorted({*jobs[path]} & {*kernels[path]}) for path in {*jobs} & {*kernels}}
    for path, lines in sorted({**kernels, **jobs, **both}.items()):
        print(path, *lines)
        for line in lines:
            entry = allowed(path, line)
            seen.add(entry)
            if entry is None:
                wrong.append(f"{path}:{line} ({places(path)[0][line]})")
    print(*wrong, sep="\n")
    assert wrong == []
    assert set(ALLOWED) <= seen, "an entry that nothing needs any more"


def test_the_list_names_functions_that_there_are():
    for path, function, *_ in ALLOWED:
        if path == "*":
            continue
        names = set(places(path)[0].values())
        assert any(is_of(name, function) for name in names), function


def test_a_line_with_a_number_in_it_has_no_entry():
    """Negative control."""
    for path, text in (
        ("learning/exact_math.py", "return log(x) * LOG10_E"),
        ("learning/checkpoint.py", "rng.bit_generator.state, spawned = found[name]"),
        ("learning/trial_source.py", "sampled = (normal(rng, length * n).reshape(length, n) for length in lengths)"),
        ("learning/kernels/unit.py", "elif units.phi == IDENTITY:"),
    ):
        lines = (provenance.PACKAGE / path).read_text(encoding="utf-8").splitlines()
        (line,) = [number for number, content in enumerate(lines, start=1) if content.strip() == text]
        assert allowed(path, line) is None, text
