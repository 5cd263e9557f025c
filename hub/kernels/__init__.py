"""Compiled kernels: arrays in, arrays out.

Nothing here imports the rest of the hub, holds state of its own or knows a camera. Each kernel has an explicit
signature, so that it is compiled once, when its module is first imported, and afterwards loaded from numba's cache on
disk. All release the interpreter's lock.
"""
