"""From any accepted X, y and weights to sequences and examples."""
