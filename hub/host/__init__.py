"""Configuration, discovery and supervision of plugins, in the hub's process and in children of their own.

Nothing here knows a plugin's name. ``hub.app`` builds a ``Host`` and gives it the configuration.
"""
