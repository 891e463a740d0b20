"""Robocall detector: answers unknown callers, judges them, and puts them through or hangs up.

Importing this package costs nothing: every part is imported where it is used.
"""

import os

# onnxruntime reports its use to its makers unless it is told not to before it is loaded. Nothing leaves this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
