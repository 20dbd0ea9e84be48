"""The style sheet and the few scripts, read once and served under a name that changes with them."""

import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "/static/"
FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Static:
    """``address("style.css")`` for templates; ``route`` serves them. Browsers may keep them for a year."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        self._files = {_fingerprint(name, data): (data, _TYPES[Path(name).suffix]) for name, data in files.items()}
        self._addresses = {name: PREFIX + _fingerprint(name, data) for name, data in files.items()}

    def address(self, name: str) -> str:
        return self._addresses[name]

    @property
    def route(self) -> Route:
        return Route(PREFIX + "{name}", self._serve, methods=["GET"], name="static")

    def _serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        data, media_type = found
        return Response(data, media_type=media_type, headers={"cache-control": "public, max-age=31536000, immutable"})


def _fingerprint(name: str, data: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}.{ending}"
