"""Tests of the hub; ``tests.bench`` is run as a program and ``tests.architecture`` holds the map to the code."""
