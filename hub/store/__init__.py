"""Durable storage: the journal on SQLite, documents on tinydb, media files, and the watch over the disk's space."""
