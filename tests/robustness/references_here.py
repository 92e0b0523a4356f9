"""What this process's processor makes of the short and the smoke references: a program for test_arm64.py.

Prints the processor's architecture and, for each kind of reference, `identical` or what differs first.
"""

from __future__ import annotations

import platform

from rflo_repro.learning.kernels.registers import registers
from rflo_repro.studies import records, reference_runs, regression

KINDS = ("short:", "smoke:")


def main() -> None:
    print(platform.machine(), *registers(), flush=True)
    jobs = {name: job for name, job in reference_runs.jobs().items() if name.startswith(KINDS)}
    found = dict(reference_runs.short_runs())
    found |= {name: records.record(job.run(lambda trials: None)) for name, job in jobs.items()}
    references = {name: record for name, record in records.read().items() if name.startswith(KINDS)}
    for kind in KINDS:
        ours, theirs = ({n: r for n, r in every.items() if n.startswith(kind)} for every in (found, references))
        print(next(said.line for said in regression.compare(ours, theirs) if said.line.startswith(kind[:-1])))


if __name__ == "__main__":
    main()
