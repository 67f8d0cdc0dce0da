"""What a module does to one batch: the places, watching them as the batch goes through, the record."""
