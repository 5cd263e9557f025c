"""The vision process: it pulls cameras, decodes, finds motion and reads plates, and tells the hub over one socket.

Started as ``python -m hub.vision --fd N``; what it speaks is written in ``hub.vision.service``. It alone imports PyAV,
Pillow and the compiled kernels, so that a fault in a native library ends this process and not the hub.
"""
