"""What is said on the terminal: progress and notes on stderr, and nothing by others."""
