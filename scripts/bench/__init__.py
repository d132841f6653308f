"""The benchmark: what is measured, other tools to compare with, and the page of results."""
