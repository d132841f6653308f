"""``kerascnn style``: a photograph painted in the style of a painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from kerascnn.commands.flags import DEBUG, JSON, size
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import OptionFlag, SectionedCommand, values_of
from kerascnn.errors import UsageError, one_line
from kerascnn.plugin.options import options
from kerascnn.storage.output_layout import STYLE
from kerascnn.style.settings import StyleSettings


@click.command(cls=SectionedCommand)
@click.argument("pictures", nargs=-1, metavar="[CONTENT] [STYLE]...")
@click.option(
    "-o", "--out", type=Path, metavar="OUT",
    help=f"PNG, JPEG, TIFF or WebP, or a folder; default: {STYLE.as_posix()}/<content>.png.",
)  # fmt: skip
@click.option(
    "--mask", "masks", multiple=True, metavar="PATH",
    help="Where a style goes: white, in a picture as large as the content. Once for each style, "
    "or once less: the last style then goes where no other does.",
)  # fmt: skip
@click.option(
    "--style-mask", "style_masks", multiple=True, metavar="PATH",
    help="What part of a style's picture counts. Once for each style.",
)  # fmt: skip
@click.option(
    "--memory", type=size, metavar="SIZE",
    help="The most memory to use, as 4G; larger pictures go in tiles. Default: half of all.",
)  # fmt: skip
@click.option("--preview", default=0, metavar="N", help="Write the picture so far every N steps.")
@click.option(
    "--save-every", default=20, show_default=True, metavar="N",
    help="Save the state every N steps, for --resume.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Resume where the same command was stopped.")
@click.option(
    "--like", metavar="PICTURE", help="Use the settings of a picture that was painted before."
)
@JSON
@DEBUG
def style(
    pictures: Sequence[str],
    out: Path | None,
    masks: Sequence[str],
    style_masks: Sequence[str],
    memory: int | None,
    preview: int,
    save_every: int,
    resume: bool,
    like: str | None,
    as_json: bool,
    **given: object,
) -> None:
    """Paint a picture in the style of others: kerascnn style photo.jpg painting.jpg -o out.png.

    CONTENT is a picture or a folder of them; several STYLEs are blended, or go where --mask says.
    Without any, packaged pictures are used.
    """
    for flag, steps, least in (("--preview", preview, 0), ("--save-every", save_every, 1)):
        if steps < least:
            raise UsageError(f"{flag} must be at least {least}. Received: {steps}")
    painted_before = {} if like is None else _settings_of(like)
    settings = StyleSettings.parse({**painted_before, **values_of(StyleSettings, given)})
    from kerascnn.style.jobs import StyleJob, paint

    saved = paint(
        StyleJob(
            settings=settings,
            pictures=pictures,
            out=out,
            masks=masks,
            style_masks=style_masks,
            memory=memory,
            preview=preview,
            save_every=save_every,
            resume=resume,
        )
    )
    if as_json:
        paintings = [
            {
                "path": str(painted.path),
                "seconds": painted.seconds,
                "history": [asdict(step) for step in painted.history],
            }
            for painted in saved
        ]
        print_json({"paintings": paintings, "settings": settings.model_dump(mode="json")})
        return
    for painted in saved:
        click.echo(str(painted.path))


style.params += [
    OptionFlag(option, "How it is painted", is_list=option.is_list)
    for option in options(StyleSettings)
]


def _settings_of(picture: str) -> dict[str, object]:
    """Return the settings that a picture was painted with, as it has them in itself."""
    from kerascnn.style.pictures import read_record

    record = read_record(Path(picture))
    found = None if record is None else record.get("settings")
    if not isinstance(found, dict):
        raise UsageError(
            f"--like takes a picture painted by this program. {one_line(picture)} does not say "
            "how it was painted"
        )
    return found
