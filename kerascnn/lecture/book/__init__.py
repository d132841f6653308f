"""The book: its settings, what a chapter is made with, its texts in each language, its page."""
