"""How a picture is laid out and saved."""

from __future__ import annotations

from pathlib import Path

from rflo_repro.report import style
from rflo_repro.runs import tables
from rflo_repro.studies.readings.experiment import EXPERIMENT, SCHEMAS


def drawn(folder: Path, frame) -> list[bytes]:
    found, _ = EXPERIMENT.draw({"readings": frame}, ["d"])
    folder.mkdir()
    return [path.read_bytes() for path in found["fig2_locality"].save(folder / "picture")]


def test_a_picture_of_many_axes_has_the_same_bytes_each_time(tmp_path):
    frame, _ = tables.read(Path(__file__).parents[2] / "results", SCHEMAS["readings"])
    frame = frame[frame.figure == "fig2-locality"]
    first = drawn(tmp_path / "0", frame)
    held = []
    for again in range(1, 3):
        held.append([object() for _ in range(1000 * again)])  # other addresses
        assert drawn(tmp_path / str(again), frame) == first


def test_axes_stay_in_the_layout(tmp_path):
    with style.style():
        picture = style.new_picture(4.0, 3.0)
        axes = picture.subplots()
        picture.draw_without_rendering()
        before = axes.get_position().x0
        axes.set_ylabel("a label")
        picture.draw_without_rendering()
    assert axes.get_position().x0 > before
    assert axes.get_position().x0 == round(axes.get_position().x0, style.PLACES)
