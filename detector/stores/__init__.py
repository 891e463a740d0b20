"""Stores: calls, lists, fingerprints and recordings with retention."""
