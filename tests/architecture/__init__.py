"""Holds the code to its map: sizes, names, rooms, circles, locks."""
