"""`Commands`: a group of commands that names the nearest where one is misspelt."""

from __future__ import annotations

import click

from kerascnn.errors import UsageError, nearest, one_line


class Commands(click.Group):
    """A group that names the nearest command where one is misspelt."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or raise a `UsageError`."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UsageError(
                f"no command {one_line(args[0], 40)!r}{nearest(args[0], self.list_commands(ctx))}"
            )
        return super().resolve_command(ctx, args)
