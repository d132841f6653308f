"""A new plugin's first files: a package that works at once."""
