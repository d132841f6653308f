"""The book: its chapters made, its texts in each language, its page."""
