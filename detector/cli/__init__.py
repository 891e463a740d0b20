"""Command line: composition of the parts."""
