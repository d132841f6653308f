"""Spectrograms against tones that are known; WAV files, whole and damaged; the speech networks."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from kerascnn.errors import DataError
from kerascnn.lecture.datasets import speech as data
from kerascnn.lecture.datasets.spectrograms import BANDS, FRAMES, hertz, read_wav, spectrogram
from kerascnn.lecture.datasets.speech import load_speech
from kerascnn.lecture.experiments.speech import moved
from kerascnn.lecture.networks import speech as networks

BANDS_AT = np.array([hertz(band) for band in range(BANDS)])


def tone(frequency, rate=16_000, seconds=1.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def save(path, samples, rate=16_000, width=2, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    scaled = np.asarray(samples) * (2 ** (8 * width - 1) - 1)
    kind = {1: "u1", 2: "<i2", 3: "<i4", 4: "<i4"}[width]
    values = (scaled + (128 if width == 1 else 0)).astype(kind)
    with wave.open(str(path), "wb") as stream:
        stream.setframerate(rate)
        stream.setsampwidth(width)
        stream.setnchannels(channels)
        frames = np.repeat(values, channels)
        three = frames.view("u1").reshape(-1, 4)[:, :3] if width == 3 else frames
        stream.writeframes(three.tobytes())
    return path


# --- spectrograms -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [16_000, 8_000, 22_050, 44_100])
@pytest.mark.parametrize("frequency", [300, 1000, 2500])
def test_a_tone_is_a_line_at_its_frequency(frequency, rate):
    found = spectrogram(tone(frequency, rate), rate)
    assert found.shape == (BANDS, FRAMES) and found.dtype == np.uint8
    nearest = int(np.abs(BANDS_AT - frequency).argmin())
    loudest = found[:, 2:-2].astype(int).sum(axis=1).argmax()
    assert abs(int(loudest) - nearest) <= 1


def test_loudness_does_not_matter_and_silence_is_dark():
    quiet, loud = (spectrogram(tone(800) * volume) for volume in (0.001, 100.0))
    assert (quiet == loud).all()
    assert not spectrogram(np.zeros(16_000)).any()


def test_time_runs_to_the_right():
    clip = np.zeros(16_000)
    clip[8000:] = tone(1000)[:8000]
    columns = spectrogram(clip).max(axis=0)
    assert columns[: FRAMES // 2 - 2].max() == 0 and columns[FRAMES // 2 + 1 :].min() > 200


def test_what_is_short_ends_in_silence():
    found = spectrogram(tone(1000, seconds=0.25))
    assert found[:, : FRAMES // 4 - 1].max() == 255 and not found[:, FRAMES // 4 + 1 :].any()


# --- WAV files --------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_of_all_widths(tmp_path, width, channels):
    path = save(tmp_path / "a.wav", tone(440) * 0.5, width=width, channels=channels)
    samples, rate = read_wav(path)
    assert rate == 16_000 and len(samples) == 16_000
    assert np.abs(samples - tone(440) * 0.5).max() < 0.02


def test_wav_that_says_in_a_roundabout_way_that_it_is_plain(tmp_path):
    path = save(tmp_path / "a.wav", tone(440) * 0.5, width=3)
    plain, data = read_wav(path)[0], path.read_bytes()
    kind = (1).to_bytes(4, "little") + bytes.fromhex("00001000800000aa00389b71")
    extra = b"\xfe\xff" + data[22:36] + (22).to_bytes(2, "little") + bytes(6) + kind
    longer = (len(data) - 8 + 24).to_bytes(4, "little")
    path.write_bytes(
        data[:4] + longer + data[8:16] + (40).to_bytes(4, "little") + extra + data[36:]
    )
    assert np.array_equal(read_wav(path)[0], plain)


def damaged(folder):
    whole = save(folder / "whole.wav", tone(440)).read_bytes()
    return {
        "empty": b"",
        "text": b"not a sound at all",
        "head": whole[:20],
        "no-sound": whole[:44],
        "rate": whole[:24] + (100).to_bytes(4, "little") + whole[28:],
        "bits": whole[:34] + (40).to_bytes(2, "little") + whole[36:],
        "kind": whole[:20] + (85).to_bytes(2, "little") + whole[22:],
    }


@pytest.mark.parametrize("name", ["empty", "text", "head", "no-sound", "rate", "bits", "kind"])
def test_a_damaged_wav_is_named(tmp_path, name):
    path = tmp_path / f"{name}.wav"
    path.write_bytes(damaged(tmp_path)[name])
    with pytest.raises(DataError, match=f"{name}.wav: ") as caught:
        read_wav(path)
    assert "\n" not in str(caught.value)


def test_only_the_first_second_is_read(tmp_path):
    samples, _ = read_wav(save(tmp_path / "long.wav", tone(440, seconds=3)))
    assert len(samples) == 16_000


# --- folders ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Two words by twelve speakers."""
    for word, frequency in (("high", 3000), ("low", 300)):
        for speaker in range(12):
            save(tmp_path / word / f"s{speaker}_nohash_0.wav", tone(frequency, seconds=0.2))
    return tmp_path


def test_a_folder_a_word(folder):
    (folder / "_noise_").mkdir()
    save(folder / "_noise_" / "a.wav", tone(100))
    found = load_speech(folder)
    assert found.words == ("high", "low")
    assert len(found.y_train) + len(found.y_test) == 24
    # Who speaks is in one part for all words.
    assert (found.y_test == 0).sum() == (found.y_test == 1).sum() >= 1
    rows = [found.x_train[found.y_train == label].max(axis=(0, 2)).argmax() for label in (0, 1)]
    assert rows[0] > rows[1]


def test_damaged_files_are_named_and_left_out(folder, capsys):
    whole = load_speech(folder)
    for number in range(8):
        (folder / "low" / f"x{number}.wav").write_bytes(b"no sound")
    found = load_speech(folder)
    assert np.array_equal(found.x_train, whole.x_train)
    assert np.array_equal(found.x_test, whole.x_test)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 6 and "x0.wav" in said[0] and "3 more files" in said[-1]


def test_folders_that_are_none(tmp_path, folder):
    with pytest.raises(DataError, match="no such folder"):
        load_speech(tmp_path / "none")
    with pytest.raises(DataError, match=r"2 to 100 folders with .wav files.* Received: 0"):
        load_speech(folder / "low")
    save(folder / "rare" / "s1_a.wav", tone(50))
    with pytest.raises(DataError, match="'rare'"):
        load_speech(folder)


# --- the packaged digits and the networks -----------------------------------------------------


def test_nobody_of_the_test_is_heard_in_training():
    found = load_speech()
    assert found.x_train.shape == (len(found.y_train), BANDS, FRAMES)
    assert set(found.y_train) == set(found.y_test) == set(range(10))
    with np.load(data._EMBEDDED, allow_pickle=False) as stored:
        assert not set(stored["speakers_train"]) & set(stored["speakers_test"])
        families = {
            part: {name.rstrip("0123456789") for name in stored["speakers"][stored[part]]}
            for part in ("speakers_train", "speakers_test")
        }
    assert families["speakers_train"] & families["speakers_test"] <= {"f", "m"}
    assert data._EMBEDDED.stat().st_size <= 4 << 20


@pytest.mark.parametrize(
    ("along", "kernel", "maps"),
    [
        ("frequency", (8, 40), (33, 1, 32)),
        ("time", (40, 8), (1, 33, 32)),
        ("both", (8, 8), (33, 33, 32)),
    ],
)
def test_filters_move_along_their_axis_only(along, kernel, maps):
    first = networks.speech_cnn(along, seed=0).layers[0]
    assert first.kernel_size == kernel and first.output_shape[1:] == maps


def test_moving_a_spectrogram():
    picture = np.full((1, 40, 40, 1), 0.25, np.float32)
    picture[0, 10, 20] = 1
    up_and_later = moved(picture, 3, 5)
    assert up_and_later[0, 13, 25, 0] == 1 and (up_and_later == 1).sum() == 1
    assert up_and_later.min() == 0.25
    assert moved(picture, -3, -5)[0, 7, 15, 0] == 1
    assert moved(picture, -11, 0).max() == 0.25  # out at the bottom
    assert (moved(picture, 0, 0) == picture).all()
