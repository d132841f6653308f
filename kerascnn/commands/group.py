"""`Commands`: a group of commands that names the nearest where one is misspelt."""

from __future__ import annotations

import click

from kerascnn.errors import UsageError, nearest, one_line


class Commands(click.Group):
    """A group that names the nearest command where one is misspelt."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return a command, or raise a `UsageError`."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            names = self.list_commands(ctx)
            raise UsageError(f"no command {one_line(cmd_name, 40)!r}{nearest(cmd_name, names)}")
        return found
