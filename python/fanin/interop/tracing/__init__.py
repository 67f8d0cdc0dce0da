"""Traces of models of other libraries, once these have measured them: the sites, the record, what theory expects."""
