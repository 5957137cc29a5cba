"""Nets as C99."""
