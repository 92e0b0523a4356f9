"""The page on learning step by step: its code runs, and learns what the page says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "online.md"


def test_the_closed_loop_learns_reaching_and_then_the_force(capsys):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    exec(compile(code, str(PAGE), "exec"), {})
    first, learned, turned, again = map(float, re.findall(r"misses by ([\d.]+)", capsys.readouterr().out))
    assert learned < 0.5 * first
    assert turned > 1.5 * learned
    assert again < 0.6 * turned
