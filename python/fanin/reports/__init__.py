"""What people look at: figures, notebooks, pages."""
