"""Model files: fitted estimators as data that run no code."""
