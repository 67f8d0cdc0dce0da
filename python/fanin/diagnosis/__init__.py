"""Judging: signals of one batch, the outlook by a trial or by a table, the verdict, and what to try."""
