"""Make the parts of README and docs that are generated: tables, option pages, pictures.

    python scripts/make_docs.py [LECTURE]            everything
    python scripts/make_docs.py --pages              no pictures and no claims: takes a second

LECTURE is the folder that ``kerascnn lecture`` wrote (default: lecture). The table of claims in
README is that of its chapters on the MNIST experiment; the pictures are made by the command lines
that stand above them.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kerascnn.plugin.options import options
from kerascnn.plugin.registry import Plugin, Registry

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "plugins"
PICTURES = ROOT / "docs" / "images"

# Chapters of the book whose claims are in README.
CHAPTERS = ("shapes", "experiment")

# Plugin → its pictures: file name → the arguments that make it.
EXAMPLES: dict[str, dict[str, str]] = {
    "filters": {
        "filters.png": "lecture/cnn.h5",
        "filters-vgg16.png": "builtin:vgg16",
    },
    "activations": {
        "activations.png": "lecture/cnn.h5 --layer first-conv --image digit.png",
        "activations-vgg16.png": "builtin:vgg16 --count 24",
    },
    "top-images": {
        "top-images.png": "lecture/cnn.h5",
    },
    "max-activation": {
        "max-activation-none.png": "lecture/cnn.h5 --preset none",
        "max-activation-l1.png": "lecture/cnn.h5 --preset l1",
        "max-activation.png": "lecture/cnn.h5",
        "max-activation-filters.png": "lecture/cnn.h5 --layer last-conv --preset none",
        "max-activation-vgg16.png": "builtin:vgg16 --layer block3_conv3 --unit 0-11",
    },
    "saliency": {
        "saliency.png": "lecture/cnn.h5",
        "saliency-shares.png": "lecture/cnn.h5 --method integrated-gradients --signed",
        "saliency-vgg16.png": "builtin:vgg16 --method smoothgrad --target block5_conv3:2",
    },
    "occlusion": {
        "occlusion.png": "lecture/cnn.h5",
        "occlusion-vgg16.png": "builtin:vgg16 --target block5_conv3:2",
    },
    "deep-dream": {
        "deep-dream.png": "builtin:vgg16",
        "deep-dream-early.png": "builtin:vgg16 --layer block3_conv3",
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the option pages and the table of packages, then the pictures and README's table."""
    parser = argparse.ArgumentParser(description="Make the generated parts of README and docs.")
    parser.add_argument("lecture", nargs="?", type=Path, default=ROOT / "lecture")
    parser.add_argument("--pages", action="store_true", help="make no pictures, read no results")
    parser.add_argument("--only", metavar="PLUGIN", help="make the pictures of this plugin only")
    given = parser.parse_args(arguments)
    plugins = Registry().discover().plugins
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in EXAMPLES:
        (PAGES / f"{name}.md").write_text(page(plugins[name]), encoding="utf-8")
    plan = ROOT / "docs" / "architecture.md"
    plan.write_text(between(plan.read_text(encoding="utf-8"), "packages", packages()), "utf-8")
    if given.pages:
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, pictures in EXAMPLES.items():
        if given.only in (None, name):
            for picture, flags in pictures.items():
                draw(name, picture, flags, given.lecture)
    if given.only is None:
        readme = ROOT / "README.md"
        text = readme.read_text(encoding="utf-8")
        readme.write_text(with_claims(text, given.lecture / "book.json"), encoding="utf-8")


def page(plugin: Plugin) -> str:
    """Return a plugin's page: its docstring, its options, and pictures with their commands."""
    lines = [f"# {plugin.name}", "", inspect.cleandoc(plugin.visualizer.__doc__ or ""), ""]
    lines += ["| option | takes | default | what it does |", "|---|---|---|---|"]
    for option in options(plugin.visualizer):
        cells = (f"`{option.flag}`", option.takes, option.default_text, option.help)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for picture, flags in EXAMPLES[plugin.name].items():
        command = f"kerascnn visualize --plugin {plugin.name} {flags}"
        lines += ["", "```console", command, "```", "", f"![{command}](../images/{picture})"]
    return "\n".join(lines) + "\n"


def draw(plugin: str, picture: str, flags: str, lecture: Path) -> None:
    """Run a command line of a page, and store its picture."""
    words = [
        word.replace("lecture/", f"{lecture}/") if word.startswith("lecture/") else word
        for word in shlex.split(flags)
    ]
    with tempfile.TemporaryDirectory() as folder:
        _digit(Path(folder) / "digit.png")
        words = [str(Path(folder) / word) if word == "digit.png" else word for word in words]
        command = [sys.executable, "-m", "kerascnn", "visualize", "--plugin", plugin, *words]
        subprocess.run([*command, "--out", folder], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(Path(folder) / f"{plugin}.png", PICTURES / picture)
    print(PICTURES / picture)


def _digit(path: Path) -> None:
    """Write the first test digit, a 7, as a picture."""
    from PIL import Image

    from kerascnn.datasets import load_mnist

    Image.fromarray(load_mnist().x_test[0]).save(path)


def with_claims(text: str, book: Path) -> str:
    """Return README with the claims of ``book.json`` on the lecture's MNIST experiment."""
    found = json.loads(book.read_text(encoding="utf-8"))
    settings = found["settings"]
    versions = found["versions"]
    how = (
        f"{settings['examples']:,} training digits, {settings['epochs']} epochs, "
        f"{settings['seeds']} seeds; TensorFlow {versions['tensorflow']}."
    )
    rows = [
        how,
        "",
        "| claim | the lecture says | we measured | holds |",
        "|---|---|---|---|",
    ]
    words = {True: "yes", False: "**no**", None: "–"}
    chapters = [chapter for chapter in found["chapters"] if chapter["name"] in CHAPTERS]
    for claim in (claim for chapter in chapters for claim in chapter["claims"]):
        cells = (claim["claim"], claim["says"], claim["measured"], words[claim["holds"]])
        rows.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return between(text, "claims", "\n".join(rows))


def packages() -> str:
    """Return the table of all packages: what each is for, and each of its modules."""
    rows = ["| package | what it and its modules are for |", "|---|---|"]
    root = ROOT / "kerascnn"
    for start in sorted(root.rglob("__init__.py")):
        modules = sorted(set(start.parent.glob("*.py")) - {start})
        lines = [f"**{purpose(start)}**"]
        lines += [f"`{module.stem}`: {purpose(module)}" for module in modules]
        name = start.parent.relative_to(root.parent).as_posix()
        rows.append(f"| `{name}` | {'<br>'.join(lines)} |")
    return "\n".join(rows)


def purpose(module: Path) -> str:
    """Return the first sentence of a module's docstring, as a cell of a table takes it."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first.replace("``", "`").replace("|", "\\|")


def between(text: str, name: str, body: str) -> str:
    """Return ``text`` with the part between the two marks of ``name`` replaced by ``body``."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}{body}\n{end}{after}"


if __name__ == "__main__":
    main()
