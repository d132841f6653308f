"""A Keras model as a graph of layer calls, and what follows from it: head, receptive fields."""
