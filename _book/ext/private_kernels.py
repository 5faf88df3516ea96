"""Talk to the chapters' kernels over an encrypted connection.

Otherwise each kernel begins with a warning about it, which worries a newcomer for nothing.
"""

import zmq
from jupyter_client import KernelManager


def setup(app):
    """Called by Sphinx."""
    # The book's builder gives no way to configure its kernels but this default. "auto" encrypts
    # where the kernel says that it can.
    encryption = getattr(KernelManager, "transport_encryption", None)
    if encryption is not None and zmq.has("curve"):
        encryption.default_value = "auto"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
