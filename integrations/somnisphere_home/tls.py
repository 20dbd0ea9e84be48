"""TLS towards a broker: always with its certificate and its name checked; there is no way to leave that out."""

import ssl
from pathlib import Path


class _Socket(ssl.SSLSocket):
    """Closed at once when the other end proves nothing; paho 2.1 would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def checked_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts ``ca_file`` alone, None: the system's authorities. Raises ``OSError`` (``ssl.SSLError`` is one)."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
