"""What one batch does: the record of every layer, taking it, taking it during a fit, likeness of representations."""
