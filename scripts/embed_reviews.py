"""Make the packaged film reviews out of vaderSentiment's source distribution.

    pip download --no-deps --no-binary :all: vaderSentiment
    python scripts/embed_reviews.py vaderSentiment-3.3.2.tar.gz

Of its 10,605 rated sentences the package keeps the sentence and the mean of its ratings, each
from −4 (most negative) to 4.
"""

from __future__ import annotations

import argparse
import io
import lzma
import tarfile
from pathlib import Path

from kerascnn.storage.files import write_bytes

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "kerascnn" / "lecture" / "datasets" / "data" / "reviews.tsv.xz"
INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
RATED = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


def member(archive: tarfile.TarFile, ending: str) -> bytes:
    """Return the one file of an archive whose path ends so."""
    (found,) = [entry for entry in archive if entry.name.endswith(ending)]
    stream = archive.extractfile(found)
    assert stream is not None
    return stream.read()


def main() -> None:
    """Write the packaged reviews, and say how large they are."""
    parser = argparse.ArgumentParser(description="Write the reviews that the package carries.")
    parser.add_argument("path", type=Path, help="vaderSentiment's source distribution")
    with tarfile.open(parser.parse_args().path) as outer:
        packed = member(outer, INNER)
    with tarfile.open(fileobj=io.BytesIO(packed)) as inner:
        text = member(inner, RATED).decode("utf-8")
    lines = []
    for line in text.splitlines():
        _, rating, sentence = line.split("\t", 2)
        lines.append(f"{round(float(rating), 2):g}\t{' '.join(sentence.split())}\n")
    write_bytes(FILE, lzma.compress("".join(lines).encode("utf-8"), preset=9))
    print(f"{FILE}: {len(lines):,} sentences, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
