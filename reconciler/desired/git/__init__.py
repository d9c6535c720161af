"""Policies as they were at a commit, read with a library (docs/decisions/0021)."""
