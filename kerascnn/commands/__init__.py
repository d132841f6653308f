"""The commands, one a module, and what a plugin's own commands are made with.

Each command imports what is slow when it runs.
"""

from __future__ import annotations

from kerascnn.commands.flags import JSON, model_flags, open_network
from kerascnn.commands.output import print_columns, print_json

__all__ = ["JSON", "model_flags", "open_network", "print_columns", "print_json"]
