"""What the README and docs/ say, for tests that hold their numbers to the committed tables."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def words(path: str) -> str:
    """A text's words with single spaces between them, wherever its lines end."""
    return " ".join((ROOT / path).read_text("utf-8").split())
