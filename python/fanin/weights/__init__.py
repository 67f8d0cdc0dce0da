"""Weights in files that others have written."""
