"""``kerascnn style``: a photograph repainted in the manner of a painting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kerascnn.commands.flags import DEBUG, JSON
from kerascnn.commands.output import print_json
from kerascnn.commands.plugin_flags import flag_value, help_line, make_flag
from kerascnn.errors import UsageError, one_line
from kerascnn.plugin.visualizer import options
from kerascnn.style.settings import StyleSettings


class _StyleCommand(click.Command):
    """A command whose flags are its own and those of the settings."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        flags = [make_flag(o, o.name, "", o.is_list) for o in options(StyleSettings)]
        return [*super().get_params(ctx), *flags]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [p for p in super().get_params(ctx) if isinstance(p, click.Option)]
        records = [option.get_help_record(ctx) for option in own]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])
        with formatter.section("How it is painted"):
            formatter.write_dl([help_line(option) for option in options(StyleSettings)])


@click.command(cls=_StyleCommand)
@click.argument("pictures", nargs=-1, metavar="[CONTENT] [STYLE]...")
@click.option(
    "-o", "--out", metavar="OUT",
    help="PNG, JPEG, TIFF or WebP, or a folder; default: kerascnn-out/style/<content>.png.",
)  # fmt: skip
@click.option(
    "--mask", "masks", multiple=True, metavar="PATH",
    help="Where a style goes: white, in a picture as large as the content. Once a style, or once "
    "less: the last style then goes where no other does.",
)  # fmt: skip
@click.option(
    "--style-mask", "style_masks", multiple=True, metavar="PATH",
    help="What part of a style's picture counts. Once a style.",
)  # fmt: skip
@click.option(
    "--memory", metavar="SIZE",
    help="What the program may take, as 4G; larger pictures go in tiles. Default: half of all.",
)  # fmt: skip
@click.option("--preview", default=0, metavar="N", help="Write the picture so far every N steps.")
@click.option(
    "--save-every", default=20, show_default=True, metavar="N",
    help="Save the state every N steps, for --resume.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on where the same command was stopped.")
@click.option(
    "--like", metavar="PICTURE", help="Take the settings out of a picture that was painted before."
)
@JSON
@DEBUG
def style(pictures: Sequence[str], as_json: bool, debug: bool, **flags: Any) -> None:
    """Paint a picture in the manner of others: kerascnn style photo.jpg painting.jpg -o out.png.

    CONTENT is a picture or a folder of them; several STYLEs are blended, or go where --mask says.
    Without any, packaged pictures are taken.
    """
    for flag, steps, least in (
        ("--preview", flags["preview"], 0),
        ("--save-every", flags["save_every"], 1),
    ):
        if steps < least:
            raise UsageError(f"{flag} must be at least {least}. Received: {steps}")
    settings = _settings(flags)

    from kerascnn.network.memory import parse_bytes
    from kerascnn.terminal.silence import hush

    memory = None if flags["memory"] is None else parse_bytes(flags["memory"], option="--memory")
    if not debug:
        hush()
    from kerascnn.style.jobs import StyleJob, paint

    filed = paint(
        StyleJob(
            settings=settings,
            pictures=pictures,
            out=None if flags["out"] is None else Path(flags["out"]),
            masks=flags["masks"],
            style_masks=flags["style_masks"],
            memory=memory,
            preview=flags["preview"],
            save_every=flags["save_every"],
            resume=flags["resume"],
        )
    )
    if as_json:
        paintings = [
            {
                "path": str(painted.path),
                "seconds": painted.seconds,
                "history": [asdict(step) for step in painted.history],
            }
            for painted in filed
        ]
        print_json({"paintings": paintings, "settings": settings.model_dump(mode="json")})
        return
    for painted in filed:
        click.echo(str(painted.path))


def _settings(flags: Mapping[str, Any]) -> StyleSettings:
    """Make the settings: those of another painting, if asked, under the flags that were given."""
    given: dict[str, Any] = {}
    if flags["like"] is not None:
        from kerascnn.style.pictures import read_record

        record = read_record(Path(flags["like"]))
        found = None if record is None else record.get("settings")
        if not isinstance(found, dict):
            raise UsageError(
                f"--like takes a picture painted by this program. {one_line(flags['like'])} says "
                "nothing of how it was painted"
            )
        given.update(found)
    for option in options(StyleSettings):
        value = flags[option.name]
        if value is not None and value != ():
            given[option.name] = flag_value(option, value)
    return StyleSettings.parse(given)
