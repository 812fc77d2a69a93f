"""Backup and restore of the portal itself: its database, with the keys kept apart from it.

A backup is a folder: `manifest.json`, the database (a SQLite file or a pg_dump archive) and the signed audit
checkpoints of that moment. Nothing in it opens an encrypted column; the keyring is written elsewhere on demand.
"""
