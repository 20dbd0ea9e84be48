"""Forms come from our own pages: a token that only those hold, and the browser's own word where from. Pure."""

import hashlib
import hmac
from urllib.parse import urlsplit


def token_for(key: bytes, visitor: str) -> str:
    """Of one visitor's forms; worthless to any other."""
    return hmac.new(key, f"form {visitor}".encode(), hashlib.sha256).hexdigest()


def is_own_form(key: bytes, visitor: str, token: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(token_for(key, visitor).encode(), token.encode(errors="replace"))


def is_own_origin(origin: str | None, fetch_site: str | None, host: str) -> bool:
    """What the browser says of where a form was. One that says nothing is judged by the token alone."""
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
