"""Losses, optimizers, and the loop that trains."""
