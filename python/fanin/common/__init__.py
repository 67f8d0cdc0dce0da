"""What all rooms need: checks of arguments, files, JSON, texts and tables, progress, and the calls that lead up."""
