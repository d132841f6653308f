"""Make the pictures of docs/style.md, each by the command line shown below it.

python scripts/make_style_page.py                all that is missing
python scripts/make_style_page.py --anew         all of them (half an hour on two cores)
python scripts/make_style_page.py --page         the page alone, in a second
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from kerascnn.plugin.options import options
from kerascnn.style.settings import StyleSettings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "style.md"
PICTURES = ROOT / "docs" / "images" / "style"

# Picture → the command line's words after ``kerascnn style``.
QUICK = "--size 256"
PAIRS = {
    "cat-swirls": f"sample:cat sample:style-swirls {QUICK}",
    "astronaut-mosaic": f"sample:astronaut sample:style-mosaic {QUICK}",
    "coffee-waves": f"sample:coffee sample:style-waves {QUICK}",
    "rocket-swirls": f"sample:rocket sample:style-swirls {QUICK}",
    "cat-mosaic": f"sample:cat sample:style-mosaic {QUICK}",
    "astronaut-waves": f"sample:astronaut sample:style-waves {QUICK}",
}
BRIEF = "--size 192"
MORE = {
    "blend": f"sample:coffee sample:style-swirls sample:style-mosaic --blend 1,2 {BRIEF}",
    "mask": "sample:cat sample:style-swirls sample:style-mosaic "
    f"--mask docs/images/style/left.png {BRIEF}",
    "luminance": f"sample:coffee sample:style-swirls --keep-colour luminance {BRIEF}",
    "histogram": f"sample:coffee sample:style-swirls --keep-colour histogram {BRIEF}",
}
SIZES = (128, 256, 512, 1024, 2048)
# All of one width, to compare them; a click opens the original.
SMALL = '[<img alt="{0}" src="images/style/{0}.jpg" width="150">](images/style/{0}.jpg)'
SWEEP = "sample:rocket sample:style-swirls --size {} --iterations 40 --no-broad"
DREAMS = (
    "Deep Dream on the same network, the objective at four of its layers, as "
    "`kerascnn visualize --plugin deep-dream builtin:vgg16 --layer LAYER` dreams it."
)
LAYERS = ("block2_conv2", "block3_conv3", "block4_conv3", "block5_conv2")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page, and without --page the pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of docs/style.md.")
    parser.add_argument("--anew", action="store_true", help="pictures that exist too")
    parser.add_argument("--page", action="store_true", help="the page alone")
    given = parser.parse_args(arguments)
    if not given.page:
        PICTURES.mkdir(parents=True, exist_ok=True)
        _left_mask()
        for name, words in wanted().items():
            if given.anew or not (PICTURES / f"{name}.jpg").exists():
                draw(name, words)
        for layer in LAYERS:
            if given.anew or not (PICTURES / f"dream-{layer}.jpg").exists():
                dream(layer)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def wanted() -> dict[str, str]:
    """Return each picture's name and the words of its command."""
    return {**PAIRS, **MORE, **{f"size-{size}": SWEEP.format(size) for size in SIZES}}


def page(text: str) -> str:
    """Return the page with its pictures and its table of settings updated."""
    return between(between(text, "pictures", _pictures()), "settings", _settings())


def between(text: str, name: str, body: str) -> str:
    """Return ``text`` with what is between the two marks of ``name`` replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = text.split(start)
    return f"{before}{start}{body}\n{end}{rest.split(end)[1]}"


def _pictures() -> str:
    sizes = [f"size-{size}" for size in SIZES]
    dreams = [f"dream-{layer}" for layer in LAYERS]
    lines = ["### Six pairs", "", *_table(PAIRS, 2)]
    lines += ["", "### A blend, two regions, colours kept", "", *_table(MORE, 2)]
    lines += ["", "### The same at every size", "", f"`kerascnn style {SWEEP.format('SIZE')}`", ""]
    lines += _row([str(size) for size in SIZES], sizes, SMALL)
    lines += ["", "### What the layers dream of", "", DREAMS, "", *_row(list(LAYERS), dreams)]
    return "\n".join(lines)


def _settings() -> str:
    lines = ["| option | takes | default | what it does |", "|---|---|---|---|"]
    for option in options(StyleSettings):
        cells = (f"`{option.flag}`", option.takes, option.default_text, option.help)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _row(
    titles: list[str], names: list[str], cell: str = "![{0}](images/style/{0}.jpg)"
) -> list[str]:
    pictures = map(cell.format, names)
    return [
        f"| {' | '.join(titles)} |",
        "|---" * len(titles) + "|",
        f"| {' | '.join(pictures)} |",
    ]


def _table(pictures: dict[str, str], columns: int) -> list[str]:
    rows, names = ["| " * columns + "|", "|---" * columns + "|"], list(pictures)
    for first in range(0, len(names), columns):
        some = names[first : first + columns]
        rows.append("".join(f"| ![{name}](images/style/{name}.jpg) " for name in some) + "|")
        rows.append("".join(f"| `kerascnn style {pictures[name]}` " for name in some) + "|")
    return rows


def draw(name: str, words: str) -> None:
    """Run a picture's command line in this process."""
    from kerascnn.cli import main as kerascnn

    path = PICTURES / f"{name}.jpg"
    given = [word.replace("docs/", f"{ROOT / 'docs'}/") for word in shlex.split(words)]
    if kerascnn(["style", *given, "-o", str(path)]):
        raise SystemExit(f"{name} failed")
    lighten(path)


def lighten(path: Path) -> None:
    """Save a large picture again in fewer bytes; it keeps its settings."""
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
    if max(image.size) > 512:
        image.save(path, quality=80, exif=exif)


def dream(layer: str) -> None:
    """Dream on a packaged photograph with one layer, and save the picture."""
    import numpy as np
    from PIL import Image

    from kerascnn import Network
    from kerascnn.ascent import Dreamer, strength
    from kerascnn.images import sample_pictures
    from kerascnn.models import vgg16_features

    network = Network(vgg16_features((None, None, 3)))
    values = sample_pictures(network.input)[0].values[None, ::2, ::2]
    found = Dreamer(network, strength(layer)).dream(values, octaves=3)
    picture = (network.input.decode(found.image[0]) * 255.0).round().astype(np.uint8)
    path = PICTURES / f"dream-{layer}.jpg"
    Image.fromarray(picture).save(path, quality=90, subsampling=0)
    print(path)


def _left_mask() -> None:
    """Write a mask that fades from white on the left to black on the right."""
    import numpy as np
    from PIL import Image

    from kerascnn.style.pictures import read_original

    height, width = read_original("sample:cat").own_size
    ramp = np.clip(1.5 - 2.0 * np.linspace(0.0, 1.0, width), 0.0, 1.0)
    mask = np.repeat((ramp * 255.0).astype(np.uint8)[None], height, 0)
    Image.fromarray(mask).save(PICTURES / "left.png", optimize=True)


if __name__ == "__main__":
    main()
