"""One visualizer on one network: run once, swept over many pictures, held against chance."""
