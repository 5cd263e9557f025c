"""Who may do what: accounts, roles, grants, sessions, purposes, the audit ledger and retention.

Nothing here knows HTTP; ``hub.web`` turns these answers into status codes, ``hub.app`` puts the parts together.
"""
