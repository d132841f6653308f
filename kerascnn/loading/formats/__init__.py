"""The formats that Keras saves in, one a module: how to tell it, what to scan, how to load it."""
