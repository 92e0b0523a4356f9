"""The page on tasks of the field: its code runs, and networks learn as it says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "tools" / "templates" / "tasks.md"


def test_networks_learn_as_the_page_says(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    for block in blocks:
        if "neurogym" not in block:
            exec(compile(block, str(PAGE), "exec"), names)
    metrics, grammar = capsys.readouterr().out.splitlines()
    assert float(metrics.strip("[] ").split()[-1]) == 1.0
    assert float(grammar) > 0.6
