"""The specification in NumPy, and the golden digests that an installation is held against."""
