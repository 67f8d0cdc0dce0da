"""Training to compare: one run, several laws, sweeps on threads and other processes, starts from data."""
