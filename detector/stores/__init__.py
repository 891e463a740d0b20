"""What is kept of calls: one database for calls, lists, messages and fingerprints, one folder for recordings.

`detector.stores.store.Store` is the way in. It is synchronous; the service writes through
`detector.stores.writer.StoreWriter`, so that a slow or broken store delays no call.
"""
