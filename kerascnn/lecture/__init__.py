"""The reproduction of the lecture."""
