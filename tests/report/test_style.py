"""How a picture is laid out and saved."""

from pathlib import Path

import pytest

from rflo_repro.report import style
from rflo_repro.runs import tables
from rflo_repro.studies.multiverse.experiment import EXPERIMENT, SCHEMAS


def drawn(folder: Path, frame) -> list[bytes]:
    found, _ = EXPERIMENT.draw({"readings": frame}, ["d"])
    folder.mkdir()
    (picture,) = (picture for name, picture in found.items() if name.startswith("fig2_locality_locality"))
    return [path.read_bytes() for path in picture.save(folder / "picture")]


def test_a_picture_of_many_axes_has_the_same_bytes_each_time(tmp_path):
    frame, _ = tables.read(Path(__file__).parents[2] / "results", SCHEMAS["readings"])
    frame = frame[frame.figure == "fig2-locality"]
    first = drawn(tmp_path / "0", frame)
    held = []
    for again in range(1, 3):
        held.append([object() for _ in range(1000 * again)])  # other addresses
        assert drawn(tmp_path / str(again), frame) == first


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((-1.2, 2.3), ["÷10", "1", "×10", "×100"]),
        ((3.2, -3.2), ["÷1,000", "÷100", "÷10", "1", "×10", "×100", "×1,000"]),
        ((-0.7, 0.6), ["÷3", "1", "×3"]),
        ((-0.4, 0.35), ["÷2", "1", "×2"]),
        ((0.0, 0.01), ["1"]),
    ],
)
def test_a_scale_of_logarithms_says_factors(limits, labels):
    axes = style.new_picture(3.0, 3.0).subplots()
    axes.set_ylim(*limits)
    style.factor_axis(axes.yaxis)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == labels
    assert axes.get_ylim() == limits
    style.factor_axis(axes.yaxis, least=2, most=3)
    assert 1 <= len(axes.get_yticks()) <= 3
    assert "1" in [tick.get_text() for tick in axes.get_yticklabels()]


def test_several_pictures_of_one_experiment_have_its_name_and_their_own(tmp_path):
    pictures = style.Pictures({"": style.new_picture(1.0, 1.0), "more": style.new_picture(1.0, 1.0)})
    saved = [path.name for path in pictures.save(tmp_path / "study-a")]
    assert saved == ["study-a.png", "study-a.pdf", "study-a_more.png", "study-a_more.pdf"]
    assert sorted(saved) == sorted(path.name for path in tmp_path.iterdir())


def test_axes_stay_in_the_layout(tmp_path):
    with style.style():
        picture = style.new_picture(4.0, 3.0)
        axes = picture.subplots()
        picture.draw_without_rendering()
        before = axes.get_position().x0
        axes.set_ylabel("a label")
        picture.draw_without_rendering()
    assert axes.get_position().x0 > before
    assert axes.get_position().x0 == round(axes.get_position().x0, style.DECIMALS)


@pytest.mark.parametrize("legend", [False, True])
def test_a_footer_of_any_text_is_below_axes_and_legends(legend, tmp_path):
    with style.style():
        picture = style.new_picture(4.0, 3.0)
        axes = picture.subplots()
        axes.set_xlabel("label")
        axes.plot([0, 1], label="line")
        if legend:
            picture.legend(loc="outside lower center")
        picture.footer("sweep · $x^$ \\frac{ · [bold]x[/] · _a · " + "much=" * 30)
        picture.draw_without_rendering()
    (footer,) = picture.texts
    extent = footer.get_window_extent()
    others = [axes.get_tightbbox(), *(one.get_window_extent() for one in picture.legends)]
    assert len(footer.get_text().splitlines()) > 1
    assert extent.x1 < picture.bbox.x1
    assert extent.y0 > 0
    assert all(box.y0 > extent.y1 for box in others)
    assert all(path.stat().st_size for path in picture.save(tmp_path / "picture"))
