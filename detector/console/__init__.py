"""Console: what the user sees while it runs."""
