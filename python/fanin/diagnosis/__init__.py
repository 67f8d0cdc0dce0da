"""Judging: the rules, and the verdict that they give."""
