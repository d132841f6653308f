"""Make the packaged spoken digits by eSpeak NG.

Run as ``python scripts/speak_digits.py``; needs eSpeak NG (Debian's package ``espeak-ng``). Each of
its voice variants is a speaker, and says each digit three times: in an accent, at a speed, at a
pitch, after a pause and in a noise that are drawn at random, always the same for the same digit.
About a fourth of the speakers are kept for the test.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kerascnn.lecture.datasets.spectrograms import RATE, SECONDS, read_wav, spectrogram
from kerascnn.storage.files import replacing

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "kerascnn" / "lecture" / "datasets" / "data" / "digits.npz"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = (
    "en-029",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-gb-x-rp",
    "en-us",
    "en-us-nyc",
)
TAKES = 3
STEP = 8  # shades are rounded to 32 levels: invisible, and the file is half as large
PROGRAM = "espeak-ng"


def speakers() -> list[str]:
    """Return the names of eSpeak NG's voice variants."""
    listed = subprocess.run(
        [PROGRAM, "--voices=variant"], capture_output=True, text=True, check=True
    )
    return sorted(re.findall(r"!v/(\S+(?: \w+)?)", listed.stdout))


def is_tested(speaker: str) -> bool:
    """Whether a speaker is kept for the test; relatives (``iven2``, ``iven3``) together."""
    family = speaker if re.fullmatch(r"[fm]\d", speaker) else speaker.rstrip("0123456789")
    return zlib.crc32(family.encode()) % 4 == 0


def speak(word: str, speaker: str, draw: np.random.Generator, wav: Path) -> npt.NDArray[np.uint8]:
    """Say a word somehow, and return its spectrogram."""
    voice = f"{draw.choice(ACCENTS)}+{speaker}"
    speed, pitch = draw.integers(130, 231), draw.integers(20, 81)
    command = [PROGRAM, "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(wav), word]
    subprocess.run(command, check=True, capture_output=True)
    from scipy.signal import resample_poly

    samples, rate = read_wav(wav)
    said = resample_poly(samples, RATE // 50, rate // 50)
    loud = np.flatnonzero(np.abs(said) > 0.02 * np.abs(said).max())
    said = said[loud[0] : loud[-1] + 1]
    room = max(0, round(RATE * SECONDS) - len(said))
    clip = np.zeros(round(RATE * SECONDS))
    start = int(draw.integers(0, room + 1))
    clip[start : start + len(said)] = said[: len(clip)]
    return spectrogram(clip + noise(len(clip), float(np.std(said)), draw))


def noise(length: int, level: float, draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return noise between white and brown, 5 to 25 dB below a level."""
    waves = np.fft.rfft(draw.standard_normal(length))
    frequencies = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 50)
    made = np.fft.irfft(waves / frequencies ** draw.uniform(0, 1), length)
    return np.asarray(made / made.std() * level * 10 ** (-draw.uniform(5, 25) / 20))


def main() -> None:
    """Write the packaged digits, and say how large they are."""
    names = speakers()
    parts: dict[str, list[tuple[npt.NDArray[np.uint8], int, int]]] = {"train": [], "test": []}
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(names):
            if " " in name:  # eSpeak NG does not find such a variant
                continue
            part = parts["test" if is_tested(name) else "train"]
            for digit, word in enumerate(WORDS):
                for take in range(TAKES):
                    draw = np.random.default_rng((number, digit, take))
                    shades = speak(word, name, draw, Path(folder) / "said.wav")
                    part.append((shades // STEP * STEP, digit, number))
    arrays = {"speakers": np.array(names)}
    for part_name, made in parts.items():
        pictures, digits, numbers = zip(*made, strict=True)
        arrays[f"x_{part_name}"] = np.stack(pictures)
        arrays[f"y_{part_name}"] = np.array(digits, np.uint8)
        arrays[f"speakers_{part_name}"] = np.array(numbers, np.uint8)
    with replacing(FILE) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    counts = {name: len(made) for name, made in parts.items()}
    print(f"{FILE}: {FILE.stat().st_size:,} bytes, {counts}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()  # --help, and nothing else
    main()
