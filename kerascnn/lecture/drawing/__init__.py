"""Figures of the book that are no visualizer's: boards, sentences, spectrograms, curves."""
