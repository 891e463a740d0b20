"""Readers of text and speech that others published, and of tables in general; nothing is fetched."""
