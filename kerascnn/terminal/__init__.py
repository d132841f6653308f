"""The terminal: progress and notes on stderr, and no messages of other libraries."""
