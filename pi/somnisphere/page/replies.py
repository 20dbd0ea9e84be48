"""How a room answers: with a page, with the way to another one, or with what went wrong and the mend."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from somnisphere.page.desk import Kind, desk_of
from somnisphere.page.visit import visit_of


def render(request: Request, template: str, /, status: int = 200, *, whole: bool = True, **values: object) -> Response:
    """A page. ``values``: what its template uses; every template has ``visit``, ``path`` and ``note`` besides.
    ``whole`` False: a piece of one, which leaves what is to be said for the next page."""
    desk, visit = desk_of(request), visit_of(request)
    note = desk.take_note(visit.visitor) if whole else None
    values = {"visit": visit, "path": request.scope["path"], "note": note, **values}
    return HTMLResponse(desk.rendering.page(template, visit.words.language, values), status)


def see(request: Request, path: str, said: str = "", kind: Kind = "good") -> Response:
    """After a form: on to ``path``, where ``said`` is told once; ``kind`` "sorry": it did not work."""
    if said:
        desk_of(request).leave_note(visit_of(request).visitor, kind, said)
    return RedirectResponse(path, 303)


def trouble(request: Request, status: int, what: str, mend: str, detail: str = "", *, way_out: str = "") -> Response:
    """``what`` happened and the ``mend``, both in the reader's language; ``detail`` as the machine has it; ``way_out``:
    a page to open in a window of its own."""
    values = {"what": what, "mend": mend, "detail": detail, "way_out": way_out}
    return render(request, "trouble.html", status, whole=False, **values)
