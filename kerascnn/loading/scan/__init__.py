"""The checks of a model file before Keras reads it: bytes, HDF5, configurations, allowlists."""
