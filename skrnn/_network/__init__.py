"""Layers, the head and their parameters; loss and gradient of batches."""
