"""Deep Style from the command line and from Python: what goes in, what comes out, what is kept."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kerascnn
from helpers.paths import COMMAND, ROOT
from helpers.style_oracle import Oracle, small_kernels
from kerascnn import ImageError, ModelError, UsageError, deep_style
from kerascnn.cli import main
from kerascnn.style.colour import luminance, with_chroma_of, with_histogram_of
from kerascnn.style.forecast import Memory, duration
from kerascnn.style.masks import at_layer, read_mask, read_regions
from kerascnn.style.objective import Objective
from kerascnn.style.pictures import Original, read_original, read_record, write_picture
from kerascnn.style.schedule import on_plateau, stages
from kerascnn.style.session import PaintingSession
from kerascnn.style.settings import StyleSettings
from kerascnn.style.transfer import StyleTransfer, encode

KERNELS = small_kernels(np.random.default_rng(1))
QUICK = ("--size", "64", "--smallest", "45", "--iterations", "6")


COMPILED = {}


def begun(transfer, content):
    return PaintingSession(transfer, transfer.scene(content))


def compiled_once(features, content, style, kind):
    """Return a loss that an earlier test compiled, where it is the same."""
    key = json.dumps([features._pooling, features._padding, content, style, str(vars(kind))])
    key += type(kind).__name__
    if key not in COMPILED:
        COMPILED[key] = Objective(features, content, style, kind)
    return COMPILED[key]


def picture(seed, height=64, width=80):
    """Return soft blobs of colour, H×W×3 uint8."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height // 8, width // 8, 3))
    small = Image.fromarray(noise.astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a content and two styles, the network replaced by one of few filters."""
    monkeypatch.setattr("kerascnn.style.transfer.load_kernels", lambda *_: KERNELS)
    monkeypatch.setattr("kerascnn.style.transfer.Objective", compiled_once)
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("content", "style", "other")):
        Image.fromarray(picture(seed)).save(tmp_path / f"{name}.png")
    return tmp_path


def run(capsys, *arguments):
    code = main(["style", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


# --- the command --------------------------------------------------------------------------------


def test_a_painting_has_its_settings_inside(capsys, folder):
    code, out, err = run(capsys, "content.png", "style.png", "-o", "out.png", *QUICK)
    assert (code, out) == (0, "out.png\n"), err
    assert Image.open("out.png").size == (64, 51)
    record = read_record(folder / "out.png")
    assert record["settings"]["iterations"] == 6
    assert record["content"] == "content.png"
    assert sorted(p.name for p in folder.iterdir()) == [
        "content.png", "other.png", "out.png", "style.png",
    ]  # fmt: skip
    # The same settings out of the picture give the same picture.
    code, _, err = run(capsys, "content.png", "style.png", "-o", "again.png", "--like", "out.png")
    assert code == 0, err
    assert (folder / "again.png").read_bytes() == (folder / "out.png").read_bytes()


def test_json_is_one_object_with_the_history(capsys, folder):
    code, out, _ = run(capsys, "content.png", "style.png", "--json", *QUICK)
    assert code == 0
    (painted,) = json.loads(out)["paintings"]
    assert painted["path"] == str(Path("kerascnn-out") / "style" / "content.png")
    losses = [step["loss"] for step in painted["history"]]
    assert losses[-1] < losses[0]
    first = painted["history"][0]
    parts = first["content"] + first["style"] + first["total_variation"]
    assert parts == pytest.approx(first["loss"], rel=1e-5)


def test_a_folder_of_contents_is_painted_in_one_call(capsys, folder):
    many = folder / "many"
    (many / "more").mkdir(parents=True)
    for number in (1, 2):
        Image.fromarray(picture(number)).save(many / f"{number}.png")
    Image.fromarray(picture(3)).save(many / "more" / "2.png")
    (many / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    code, out, err = run(capsys, "many", "style.png", "-o", "done", *QUICK)
    assert code == 0
    names = [str(p.relative_to("done")) for p in sorted(Path("done").rglob("*.png"))]
    assert names == ["1.png", "2.png", "more/2.png"]  # two of a name: in folders as theirs
    assert len(out.split()) == 3
    assert "left out" in err
    # In a folder or alone: the same.
    run(capsys, "many/2.png", "style.png", "-o", "alone.png", *QUICK)
    one, two = (np.asarray(Image.open(p)) for p in ("alone.png", "done/2.png"))
    np.testing.assert_array_equal(one, two)


def test_a_preview_is_written_and_goes_when_the_painting_is_there(capsys, folder, monkeypatch):
    from kerascnn.style import jobs

    written = []
    monkeypatch.setattr(
        jobs,
        "write_picture",
        lambda path, *rest: (written.append(path.name), write_picture(path, *rest)),
    )
    code, _, err = run(capsys, "content.png", "style.png", "-o", "o.png", "--preview", 4, *QUICK)
    assert code == 0, err
    assert written.count("o.preview.png") >= 2
    assert not (folder / "o.preview.png").exists()


def own(folder):
    """Files with a part in the tests below, and what is in them."""
    for seed, name in enumerate(("begin", "out.preview"), 3):
        Image.fromarray(picture(seed)).save(folder / f"{name}.png")
    Image.new("L", (80, 64), 255).save(folder / "mask.png")
    (folder / "many").mkdir()
    Image.fromarray(picture(5)).save(folder / "many" / "one.png")
    (folder / "link.png").symlink_to(folder / "content.png")
    os.link(folder / "content.png", folder / "same.png")  # as CONTENT.PNG where case is nothing
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(os.name != "posix", reason="needs links")
@pytest.mark.parametrize(
    "arguments",
    [
        ["content.png", "style.png", "-o", "style.png"],
        ["content.png", "style.png", "-o", "many/../content.png"],
        ["content.png", "style.png", "-o", "new/../content.png"],
        ["content.png", "style.png", "-o", "link.png"],
        ["content.png", "style.png", "-o", "same.png"],
        ["link.png", "style.png", "-o", "content.png"],
        ["content.png", "style.png", "-o", "begin.png", "--start", "begin.png"],
        ["content.png", "style.png", "-o", "mask.png", "--mask", "mask.png"],
        ["content.png", "style.png", "-o", "./mask.png", "--style-mask", "mask.png"],
        ["out.preview.png", "style.png", "-o", "out.png", "--preview", "2"],
        ["many", "style.png", "-o", "many"],
    ],
    ids="-".join,
)
def test_nothing_is_written_over_what_is_read(capsys, folder, arguments):
    before = own(folder)
    code, _, err = run(capsys, *arguments, *QUICK)
    assert code == 2, err
    assert "write over" in err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_only_a_preview_of_ours_is_removed(capsys, folder):
    mine = folder / "out.preview.png"
    mine.write_bytes(b"something of the user's")
    assert run(capsys, "content.png", "style.png", "-o", "out.png", *QUICK)[0] == 0
    assert mine.read_bytes() == b"something of the user's"


def test_each_content_has_a_painting_of_its_own(capsys, folder):
    many = folder / "many"
    many.mkdir()
    for number, name in enumerate(("a.png", "a.bmp", "a.png.bmp", "B.png", "b.bmp", "c.png")):
        Image.fromarray(picture(number)).save(many / name)
    code, out, err = run(capsys, "many", "style.png", "-o", "done", *QUICK)
    assert code == 0, err
    assert sorted(Path(line).name for line in out.split()) == [
        "B.png.png", "a.bmp.png", "a.png-2.png", "a.png.png", "b.bmp.png", "c.png",
    ]  # fmt: skip
    # Nor is one's preview another's painting.
    Image.fromarray(picture(7)).save(many / "c.preview.png")
    code, _, err = run(capsys, "many", "style.png", "-o", "again", "--preview", "2", *QUICK)
    assert code == 2
    assert "write over the painting of" in err
    assert not (folder / "again").exists()


WRONG = [
    (["nowhere.png", "style.png"], 1, ["nowhere.png"]),
    (["text.txt", "style.png"], 1, ["text.txt", "not a picture"]),
    (["content.png", "text.txt"], 1, ["text.txt"]),
    (["sample:cats", "style.png"], 1, ["no sample 'cats'", "cat"]),
    (["line.png", "style.png"], 1, ["line", "too narrow"]),
    (["content.png", "line.png"], 1, ["line", "a side"]),
    (["content.png", "style.png", "-o", "o.gif"], 1, ["o.gif", ".png"]),
    (
        ["content.png", "style.png", "-o", "text.txt/o.png"],
        1,
        ["can't write to text.txt: it is a file"],
    ),
    (["content.png", "style.png", "-o", "content.png"], 2, ["write over"]),
    (["content.png", "style.png", "--mask", "line.png"], 1, ["line.png", "80×64", "1×90"]),
    (["content.png", "style.png", "--mask", "black.png"], 1, ["black everywhere"]),
    (["content.png", "style.png", "--mask", "content.png", "--mask", "content.png"], 2, ["--mask"]),
    (["content.png", "style.png", "--style-mask", "line.png"], 1, ["line.png"]),
    (["content.png", "style.png", "--blend", "1,2"], 2, ["--blend", "1 styles"]),
    (["content.png", "style.png", "--blend", "0"], 2, ["--blend"]),
    (["content.png", "style.png", "--memory", "10M"], 1, ["memory"]),
    (["content.png", "style.png", "--style-layers", "block9_conv1"], 2, ["block9_conv1"]),
    (["content.png", "style.png", "--style-layers", "block1_conv1:x"], 2, ["--style-layers"]),
    (["content.png", "style.png", "--network", "vgg19"], 2, ["vgg19", "--weights"]),
    (["content.png", "style.png", "--size", "8"], 2, ["--size", "'8'"]),
    (["content.png", "style.png", "--statistic", "gramm"], 2, ["--statistic", "gram"]),
    (["content.png", "style.png", "--like", "style.png"], 2, ["style.png", "--like"]),
    (["content.png", "style.png", "--start", "nowhere.png"], 1, ["nowhere.png"]),
    (["content.png", "style.png", "--preview", "-1"], 2, ["--preview must be at least 0"]),
    (["content.png", "style.png", "--sise", "9"], 2, ["--sise"]),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    WRONG,
    ids=lambda v: "-".join(v[-2:]) if isinstance(v, list) else None,
)
def test_wrong_input_is_one_line_and_leaves_nothing(capsys, folder, arguments, code, words):
    (folder / "text.txt").write_text("no picture")
    Image.fromarray(picture(0, 96, 8)[:90, :1]).save(folder / "line.png")
    Image.new("L", (80, 64)).save(folder / "black.png")
    before = sorted(folder.iterdir())
    got, out, err = run(capsys, *arguments)
    errors = [line for line in err.splitlines() if ": error:" in line]
    assert (got, out, len(errors)) == (code, "", 1), err
    for word in words:
        assert word in errors[0]
    assert sorted(folder.iterdir()) == before


def test_weights_of_another_network_are_told(capsys, folder, monkeypatch):
    from kerascnn.models import cnn
    from kerascnn.style.features import load_kernels

    monkeypatch.setattr("kerascnn.style.transfer.load_kernels", load_kernels)
    cnn(seed=0).save(folder / "cnn.h5")
    code, _, err = run(capsys, "content.png", "style.png", "--weights", "cnn.h5")
    assert code == 1
    assert "cnn.h5 holds no vgg16" in err
    assert not (folder / "kerascnn-out").exists()


# --- interrupted --------------------------------------------------------------------------------


def test_ctrl_c_keeps_the_picture_and_resume_goes_on_bit_for_bit(capsys, folder, monkeypatch):
    arguments = ("content.png", "style.png", *QUICK)
    assert run(capsys, *arguments, "-o", "straight.png")[0] == 0
    steps = PaintingSession.steps

    def interrupted(session):
        for number, step in enumerate(steps(session)):
            if number == 8:
                os.kill(os.getpid(), signal.SIGINT)
            yield step

    with monkeypatch.context() as patch:
        patch.setattr(PaintingSession, "steps", interrupted)
        code, _, err = run(capsys, *arguments, "-o", "out.png")
    assert code == 130
    assert "--resume goes on" in err
    assert read_record(folder / "out.png")["finished"] is False
    code, _, err = run(capsys, *arguments, "-o", "out.png", "--resume")
    assert code == 0
    assert "resumed after 9 steps" in err
    assert (folder / "out.png").read_bytes() == (folder / "straight.png").read_bytes()
    assert not list(folder.glob("*.npz"))


def test_the_forecast_is_of_what_is_left(folder, monkeypatch):
    told = []
    monkeypatch.setattr(
        "kerascnn.style.session.forecast",
        lambda stages, *_: told.append(sum(stage.steps for stage in stages)),
    )
    settings = StyleSettings(size=48, smallest=34, iterations=5)
    session = begun(StyleTransfer(settings, ["style.png"]), "content.png")
    session.forecast()
    for _, _step in zip(range(3), session.steps(), strict=False):
        pass
    session.forecast()
    assert told == [session.most_steps, session.most_steps - 3]


def test_resume_takes_no_state_of_another_job(capsys, folder, monkeypatch):
    arguments = ("content.png", "style.png", "-o", "out.png")
    steps = PaintingSession.steps

    def interrupted(session):
        for step in steps(session):
            os.kill(os.getpid(), signal.SIGINT)
            yield step

    with monkeypatch.context() as patch:
        patch.setattr(PaintingSession, "steps", interrupted)
        assert run(capsys, *arguments, *QUICK)[0] == 130
    code, _, err = run(capsys, *arguments, *QUICK, "--seed", "1", "--resume")
    assert code == 0
    assert "starting from the beginning" in err


def test_a_damaged_state_is_set_aside_and_the_painting_begins_anew(capsys, folder):
    (folder / "out.png.state.npz").write_bytes(b"PK\x03\x04 nothing more")
    code, _, err = run(capsys, "content.png", "style.png", "-o", "out.png", *QUICK, "--resume")
    assert code == 0
    assert "out.png.state.npz is damaged" in err
    assert (folder / "out.png.state.npz.damaged").exists()
    assert not (folder / "out.png.state.npz").exists()


def test_a_state_that_lacks_something_changes_nothing(folder):
    settings = StyleSettings(size=48, smallest=34, iterations=5)
    transfer = StyleTransfer(settings, ["style.png"])
    session = begun(transfer, "content.png")
    for _, _step in zip(range(3), session.steps(), strict=False):
        pass
    state, record = session.state()
    other = begun(transfer, "content.png")
    with pytest.raises(KeyError):
        other.restore({"picture": state["picture"]}, record)
    assert other.history == []
    # Its total variation was once saved under another name.
    for step in record["history"]:
        step["unevenness"] = step.pop("total_variation")
    other.restore(state, record)
    assert other.history == session.history
    assert next(other.steps()) == next(session.steps())


def killed(folder, wait, name):
    """Kill a painting after its first saved state and a little; return how often it was."""
    command = [
        str(COMMAND), "style", "content.png", "style.png", "-o", name, "--size", "48",
        "--smallest", "34", "--iterations", "12", "--save-every", "1", "--plateau", "0",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    state = folder / f"{name}.state.npz"
    while process.poll() is None and not state.exists():
        time.sleep(0.02)
    time.sleep(wait)
    process.kill()
    process.wait()
    done = subprocess.run(
        [*command, "--resume"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return "resumed after" in done.stderr


def straight(folder):
    done = subprocess.run(
        [str(COMMAND), "style", "content.png", "style.png", "-o", "whole.png", "--size", "48",
         "--smallest", "34", "--iterations", "12", "--plateau", "0"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return np.asarray(Image.open(folder / "whole.png"))


@pytest.fixture
def real(tmp_path):
    for seed, name in enumerate(("content", "style")):
        Image.fromarray(picture(seed)).save(tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.long
def test_killed_at_ten_random_moments(real):
    """In processes of their own, on the real network."""
    whole, resumed = straight(real), 0
    for number in range(10):
        resumed += killed(real, random.Random(number).uniform(0, 3), f"{number}.png")
        np.testing.assert_array_equal(np.asarray(Image.open(real / f"{number}.png")), whole)
    assert resumed


# --- from Python --------------------------------------------------------------------------------


SMALL = {"size": 64, "smallest": 45, "iterations": 6}


def test_deep_style_takes_arrays_and_is_public(folder):
    assert kerascnn.deep_style is deep_style
    seen = []
    painted = deep_style(picture(0), picture(1), on_step=seen.append, **SMALL)
    assert painted.image.shape == (51, 64, 3)
    assert painted.image.min() >= 0.0
    assert painted.image.max() <= 1.0
    assert tuple(seen) == painted.history
    painted.save(folder / "o.webp")
    assert read_record(folder / "o.webp")["settings"]["size"] == 64


def test_the_same_seed_gives_the_same_picture(folder):
    options = {**SMALL, "start": "noise", "optimiser": "adam"}
    one, two, other = (
        deep_style(picture(0), picture(1), seed=seed, **options).image for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_a_blend_of_one_alone_is_that_one(folder):
    alone = deep_style(picture(0), picture(1), **SMALL).image
    blended = deep_style(picture(0), [picture(1), picture(2)], blend=(2, 0), **SMALL).image
    np.testing.assert_array_equal(alone, blended)
    both = deep_style(picture(0), [picture(1), picture(2)], **SMALL).image
    assert np.abs(both - alone).max() > 0.01


def test_beyond_a_mask_the_picture_stays(folder):
    mask = np.zeros((64, 80), np.float32)
    mask[:, :24] = 1.0
    options = {"size": 80, "coarse_to_fine": False, "iterations": 8, "tv_weight": 0.0}
    options["style_layers"] = ("block1_conv1", "block2_conv1")
    painted = deep_style(picture(0), picture(1), masks=[mask], **options).image
    moved = np.abs(painted - picture(0) / 255.0).mean((0, 2))
    assert moved[:20].min() > 20 * moved[50:].max()


def test_regions_take_each_its_own_style(folder):
    """The loss of two regions of one style is that of no regions at all."""
    left = np.zeros((64, 80), np.float32)
    left[:, :40] = 1.0
    regions = read_regions([left], Original(picture(0) / 255.0, "c", (64, 80)), 2)
    np.testing.assert_array_equal(regions.sum(0), np.ones((64, 80)))
    tap = type("Tap", (), {"stride": 4})
    np.testing.assert_array_equal(at_layer(regions, tap)[0, :, :10], np.ones((16, 10)))
    with pytest.raises(UsageError, match="--mask"):
        read_regions([left], Original(picture(0) / 255.0, "c", (64, 80)), 3)


def test_a_coloured_mask_counts_by_its_light_and_is_told(folder, capsys):
    content = Original(picture(0) / 255.0, "c", (64, 80))
    for name, colour in (("red", (255, 0, 0)), ("grey", (76, 76, 76))):
        Image.new("RGB", (80, 64), colour).save(f"{name}.png")
        np.testing.assert_array_equal(
            read_mask(f"{name}.png", content) * 255, np.full((64, 80), 76)
        )
    assert capsys.readouterr().err.count("red.png is coloured") == 1


def test_colours_are_kept_by_luminance(folder):
    content = picture(0).astype(np.float32) / 255.0
    painted = deep_style(picture(0), picture(1), keep_colour="luminance", **SMALL).image
    whole = read_original(picture(0)).scaled((51, 64))
    moved = painted - whole
    inside = ((painted > 0.0) & (painted < 1.0)).all(-1)
    assert inside.mean() > 0.5
    assert np.ptp(moved, axis=-1)[inside].max() < 1e-5
    np.testing.assert_allclose(with_chroma_of(luminance(content), content), content, atol=1e-6)


def test_colours_are_matched_in_mean_and_covariance():
    random_ = np.random.default_rng(0)
    style = 0.5 + 0.05 * random_.normal(size=(40, 50, 3)) @ random_.normal(size=(3, 3))
    content = 0.45 + 0.04 * random_.normal(size=(30, 30, 3)) @ random_.normal(size=(3, 3))
    found = with_histogram_of(style.astype(np.float32), content.astype(np.float32))
    inside = (found > 0.0).all() and (found < 1.0).all()
    assert inside
    one, two = found.reshape(-1, 3), content.reshape(-1, 3)
    np.testing.assert_allclose(one.mean(0), two.mean(0), atol=1e-4)
    np.testing.assert_allclose(np.cov(one.T), np.cov(two.T), rtol=0.02, atol=2e-5)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_every_format_carries_its_record(tmp_path, suffix):
    record = {"settings": {"size": 7}, "content": "größer.png"}
    path = tmp_path / f"o{suffix}"
    write_picture(path, picture(0) / 255.0, record)
    found = read_record(path)
    assert found["settings"] == {"size": 7}
    assert found["content"] == "größer.png"
    close = np.abs(np.asarray(Image.open(path).convert("RGB")).astype(int) - picture(0))
    assert close.mean() < 3
    first = path.read_bytes()
    write_picture(path, picture(0) / 255.0, record)
    assert path.read_bytes() == first


def test_contents_come_upright_and_on_white(tmp_path):
    values = picture(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(tmp_path / "turned.png", exif=exif)
    found = read_original(tmp_path / "turned.png")
    assert found.own_size == (80, 64)
    np.testing.assert_allclose(found.unit, np.rot90(values, -1) / 255.0, atol=1e-3)
    clear = np.dstack([values, np.zeros((64, 80), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert (read_original(tmp_path / "clear.png").unit == 1.0).all()
    deep = np.linspace(0, 65535, 64 * 80).reshape(64, 80).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_allclose(
        read_original(tmp_path / "deep.png").unit[..., 0], deep / 65535.0, atol=1e-4
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 5)),
        np.zeros((4, 5, 3), int),
        np.full((4, 5, 3), 2.0),
        np.full((4, 5, 3), np.nan),
        3,
        None,
    ],
)
def test_an_array_that_is_no_picture_is_told(wrong):
    with pytest.raises(ImageError, match="array"):
        read_original(wrong)


# --- sizes, memory, compatibility ---------------------------------------------------------------


def test_sizes_go_from_the_smallest_to_the_own():
    found = stages((300, 451), StyleSettings(), 16, "cat")
    assert found[0].size[1] == 128
    assert found[-1].size == (300, 451)
    assert [stage.steps for stage in found] == sorted((s.steps for s in found), reverse=True)
    assert found[0].steps == StyleSettings().iterations
    (alone,) = stages((300, 451), StyleSettings(coarse_to_fine=False), 16, "cat")
    assert alone.size == (300, 451)
    with pytest.raises(ImageError, match="too narrow"):
        stages((15, 451), StyleSettings(), 16, "cat")


def test_a_plateau_is_ten_steps_that_lower_little():
    assert not on_plateau([100.0] * 10, 0.01)
    assert on_plateau([100.0] * 11, 0.01)
    assert not on_plateau([100.0] * 11, 0.0)
    assert not on_plateau(list(np.linspace(200, 100, 11)), 0.01)


def test_times_are_said_as_people_say_them():
    assert [duration(s) for s in (0.2, 45, 720, 6000)] == ["1 s", "45 s", "12 min", "1 h 40 min"]


def test_less_memory_gives_more_tiles_and_fewer_pairs():
    taps = list(_features().taps.values())
    size = (1536, 2048)
    small, large = (Memory(limit, 3000.0, 10) for limit in (2 << 30, 64 << 30))
    assert len(large.tiles(size, taps)) == 1
    cut = small.tiles(size, taps)
    assert len(cut) > 4
    assert small.history(size) < large.history(size) == 10
    assert small.needed(size, cut) <= 2 << 30
    with pytest.raises(ModelError, match="smallest tile"):
        Memory(900 << 20, 3000.0, 10).tiles(size, taps)


def _features():
    from kerascnn.style.features import Features

    return Features(KERNELS, pooling="max", padding="zero")


@pytest.mark.long
def test_the_real_network_gives_the_same_in_tiles(real):
    """VGG16 with the default's layers: the slope of a picture in tiles and at once."""
    transfer = StyleTransfer(StyleSettings(size=208), [real / "style.png"])
    session = PaintingSession(transfer, transfer.scene(picture(0, 160, 208)))
    whole = transfer.targets(session.scene, (160, 208))
    x = encode(picture(3, 160, 208) / np.float32(255.0))
    at_once = transfer.objective.evaluate(x, whole)
    fixed = transfer.memory._fixed((160, 208))
    transfer.memory = Memory(
        int(fixed + 160 * 176 * transfer.memory.per_pixel), transfer.memory.per_pixel, 10
    )
    transfer._means.clear()
    tiled = transfer.targets(session.scene, (160, 208))
    assert len(tiled.tiles) > 1
    found = transfer.objective.evaluate(x, tiled)
    np.testing.assert_allclose(found.terms, at_once.terms, rtol=1e-4)
    scale = np.abs(at_once.gradient).max()
    assert np.abs(found.gradient - at_once.gradient).max() <= 1e-4 * scale


def test_compat_is_neural_styles_loss_and_first_ten_steps(folder):
    """Johnson's formulas written out: sums over C·H·W, his weights, his L-BFGS."""
    content, style = picture(0, 64, 80), picture(1, 64, 80)
    settings = StyleSettings.parse({"compat": "neural-style", "size": "80", "iterations": "11"})
    session = begun(StyleTransfer(settings, [style]), content)
    seen = []
    for _ in session.steps():
        seen.append(session._optimiser.picture[0].astype(float))
    oracle = Oracle(KERNELS, "max", "zero")
    mean = np.array([103.939, 116.779, 123.68])
    as_caffe = [values[..., ::-1].astype(float) - mean for values in (content, style)]
    goal, manner = (oracle.forward(values)[0] for values in as_caffe)

    def gram(maps):
        flat = maps.reshape(-1, maps.shape[-1])
        return flat.T @ flat / flat.size

    def loss(x):
        maps, tape = oracle.forward(x)
        apart = maps["block4_conv2"] - goal["block4_conv2"]
        total, slopes = 5 * np.mean(apart**2), {"block4_conv2": 10 * apart / apart.size}
        for name in [f"block{block}_conv1" for block in range(1, 6)]:
            off = gram(maps[name]) - gram(manner[name])
            total += 100 * np.mean(off**2)
            flat = maps[name].reshape(-1, maps[name].shape[-1])
            back = 100 * 4 / (flat.shape[1] ** 2 * flat.size) * flat @ off
            slopes[name] = slopes.get(name, 0) + back.reshape(maps[name].shape)
        slope = oracle.backward(tape, slopes)
        right, below = x[:-1, :-1] - x[:-1, 1:], x[:-1, :-1] - x[1:, :-1]
        slope[:-1, :-1] += 1e-3 * (right + below)
        slope[:-1, 1:] -= 1e-3 * right
        slope[1:, :-1] -= 1e-3 * below
        return total, slope.ravel()

    from test_style_optimisers import textbook_two_loops

    noise = np.random.default_rng(0).standard_normal((64, 80, 3)).astype(float) * 1e-3
    path = textbook_two_loops(lambda x: loss(x.reshape(64, 80, 3)), noise.ravel(), 10)
    for ours, theirs in zip(seen, path, strict=False):
        moved = np.abs(theirs - noise.ravel()).max()
        assert np.abs(ours.ravel() - theirs).max() <= 2e-3 * moved
    last = session.history[9]
    reported, _ = loss(path[9].reshape(64, 80, 3))
    assert last.content + last.style == pytest.approx(reported, rel=2e-3)


def test_compat_leaves_what_is_said_otherwise():
    found = StyleSettings.parse({"compat": "neural-style", "iterations": "7"})
    assert (found.iterations, found.content_weight, found.pooling) == (7, 5.0, "max")


def test_the_page_is_as_its_script_makes_it():
    root = ROOT
    path = root / "scripts" / "make_style_page.py"
    spec = importlib.util.spec_from_file_location("make_style_page", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (root / "docs" / "style.md").read_text(encoding="utf-8")
    assert script.page(text) == text, "python scripts/make_style_page.py --page"
    for picture in re.findall(r"\]\((images/.*?)\)", text):
        assert (root / "docs" / picture).read_bytes()[:2] == b"\xff\xd8"


@pytest.fixture(autouse=True)
def _no_leftovers():
    yield
    shutil.rmtree("kerascnn-out", ignore_errors=True)
