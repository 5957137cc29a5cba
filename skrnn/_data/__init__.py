"""X, y and weights in every form that is accepted, checked and converted to sequences and examples."""
