"""Networks: the class, its parameters and targets, training, prediction, and their own files."""
