"""What every answer of the page tells the browser to hold back. Pure, and one thin wrapper."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
"""Of pictures that people brought along: an SVG opened by itself runs nothing and reaches nothing."""


def page_policy(framed_by: str) -> str:
    """The content security policy of our pages. ``framed_by``: further origins whose dashboards may show them."""
    frames = " ".join(["'self'", *(origin for text in framed_by.split() if (origin := origin_of(text)))])
    return (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; media-src 'self' blob:; "
        f"frame-ancestors {frames}"
    )


def origin_of(address: str) -> str:
    """``http://homeassistant.local:8123`` of an address with whatever behind it; "" when it is none."""
    try:
        parts = urlsplit(address.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{port}"


class WithHeaders:
    """Adds them to every answer, whoever made it; what an answer says itself (a picture's policy) stays."""

    def __init__(self, app: ASGIApp, framed_by: str = "") -> None:
        self._app = app
        self._headers = {
            "content-security-policy": page_policy(framed_by),
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
            "cache-control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with if scope["type"] == "http" else send)
