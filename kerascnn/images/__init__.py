"""Pictures in: read from files and folders, or packaged samples, as a model takes them."""
