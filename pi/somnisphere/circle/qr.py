"""An invitation as a QR code. The only file that imports segno."""

import io

import segno


def in_terminal(text: str) -> str:
    """With half blocks, for a terminal of 80 columns."""
    out = io.StringIO()
    _code(text).terminal(out, compact=True)
    return out.getvalue()


def svg(text: str) -> str:
    """For the page and for paper: dark on light whatever surrounds it, as large as its place."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, omitsize=True)
    return out.getvalue().decode()


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="l", boost_error=False)
