"""The commands, one a module; each imports what is slow when it runs."""
