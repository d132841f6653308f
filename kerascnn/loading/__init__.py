"""A path in, a Keras model out: sniffed, scanned, and loaded by the Keras that wrote it."""
