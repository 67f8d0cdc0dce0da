"""Files of tensors that others have written: one module a format, all read as a `TensorFile`, nothing in them is executed."""
