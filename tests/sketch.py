"""Pictures that are saved without being encoded, which takes most of a small run's time."""

from pathlib import Path

from rflo_repro.learning.files import replacing
from rflo_repro.report.style import Picture


def save(picture: Picture, stem: Path) -> list[Path]:
    """In place of `Picture.save`: the same files, each by one rename, with the points of all lines in them."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    points = repr([line.get_xydata().tolist() for axes in picture.get_axes() for line in axes.lines])
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "pdf")]
    for path in paths:
        with replacing(path) as temporary:
            temporary.write_text(points.ljust(100_000))  # as large as a picture
    return paths
