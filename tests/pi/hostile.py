"""Requests as nobody's browser sends them, drawn from a seed: for each route there is, with each field there is."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import somnisphere.page

PAGE = Path(somnisphere.page.__file__).parent
METHODS = (*("GET",) * 12, *("POST",) * 20, "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "GÖT", "")
VALUES = (
    "", " ", "0", "1", "-1", "999999999", "1e309", "nan", "-0.0", "true", "null", "[]", '{"a":1}', "2026-02-30",
    "2026-02-28", "24:61", "07:30", "\0", "a\0b", "\n\r\t", "../../etc/passwd", "..\\..\\x", "' OR 1=1 --",
    '"><script>alert(1)</script>', "{{7*7}}", "{% include 'x' %}", "%s%n%x", "%(num)s", "$(reboot)", "`id`",
    "\u202eabc", "e\u0301" * 50, "👩‍👩‍👧", "\ufeff", "\ufffd", "ß" * 300, "x" * 5000, "y" * 20_000, "١٢٣", "²", "de-AT",
    "the-attic-of-old-stories.story", "Mia", "beginning", "on", "off", "reading", "http://evil.example/", "//evil", "/",
)  # fmt: skip
RAW = (b"", b"\xff\xfe", b"%", b"%zz", b"%00", b"%ff%fe", b"\xc3\x28", b"%ed%a0%80", b"+", b"&&==", b"a" * 9000)
COOKIES = (b"a", b"=", b";;;", b"\xff=\xff", b'x="\\', b"a=b; a=c; a=d", b"x" * 5000, b"__proto__=1", b"\x00")


@dataclass(frozen=True, slots=True)
class Target:
    """The routes and the names of what they read. Whatever a room adds is in it."""

    paths: Sequence[str]
    shows: Sequence[str]
    posts: Sequence[str]
    fields: Sequence[str]

    @classmethod
    def of(cls, routes: Sequence[Any]) -> "Target":
        sources = "\n".join(path.read_text() for path in sorted(PAGE.glob("*.py")))
        templates = "\n".join(path.read_text() for path in sorted((PAGE / "templates").glob("*.html")))
        names = set(re.findall(r"(?:form|query_params|asked)\.\w+\(\s*\"(\w+)\"", sources))
        names |= set(re.findall(r"name=\"(\w+)\"", templates))
        posts = [route.path for route in routes if "POST" in (route.methods or ())]
        shows = [route.path for route in routes if "GET" in (route.methods or ())]
        return cls([route.path for route in routes], shows, posts, sorted(names))


@dataclass(frozen=True, slots=True)
class Asked:
    scope: Mapping[str, Any]
    pieces: tuple[bytes, ...]
    """Of the body; after them the end, or when ``is_cut`` the visitor is gone."""
    is_cut: bool


def asked(rng: random.Random, target: Target, cookie: bytes, token: str) -> Asked:
    """One request. ``cookie`` and ``token`` are those of a visitor, so that many get past the gate."""
    method = rng.choice(METHODS)
    fitting = {"POST": target.posts, "GET": target.shows}.get(method, target.paths)
    path = _path(rng, fitting if rng.random() < 0.9 else target.paths)
    query = _query(rng, target)
    headers = [(b"host", rng.choice((b"localhost:8125",) * 60 + (b"", b"evil.example", b"\xff", b"[::1", b"a" * 300)))]
    if rng.random() < 0.85:
        headers.append((b"cookie", cookie if rng.random() < 0.9 else rng.choice(COOKIES) + b"; " + cookie))
    body, kind = _body(rng, target, token) if method not in ("GET", "HEAD") or rng.random() < 0.05 else (b"", b"")
    if kind:
        headers.append((b"content-type", kind))
    if body and rng.random() < 0.7:
        length = str(len(body)).encode()
        headers.append((b"content-length", rng.choice((length,) * 40 + (b"-1", b"x", b"1" * 40, b"0", b"\xb2"))))
    headers += _further(rng)
    size = rng.choice((1, 7, 1000, 100_000)) if len(body) < 5000 else 20_000
    client = rng.choice((("127.0.0.1", 1), ("127.0.0.1", 1), ("127.0.0.1", 1), ("192.168.1.9", 2), ("::1", 3), None))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": rng.choice(("1.1", "1.0")), "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(errors="replace"), "root_path": "",
        "query_string": query, "headers": headers, "client": client, "server": ("127.0.0.1", 8125), "state": {},
    }  # fmt: skip
    return Asked(scope, tuple(body[k : k + size] for k in range(0, len(body), size)), rng.random() < 0.03)


def _path(rng: random.Random, known: Sequence[str]) -> str:
    path = re.sub(r"\{\w+(:\w+)?\}", lambda _: rng.choice(VALUES)[:200], rng.choice(known))
    draw = rng.random()
    if draw < 0.85:
        return path
    tail = rng.choice(VALUES)
    return (path + "/" + tail, path + tail, "/" + tail, tail, path[:-1], path.upper(), "/static/" + tail)[
        rng.randrange(7)
    ]


def _query(rng: random.Random, target: Target) -> bytes:
    if rng.random() < 0.5:
        return b""
    parts = []
    for _ in range(rng.randrange(1, 4)):
        name = quote_plus(rng.choice((*target.fields, "lang", "light", "key", "listener", "next"))).encode()
        value = rng.choice(RAW) if rng.random() < 0.3 else quote_plus(rng.choice(VALUES), errors="replace").encode()
        parts.append(name + b"=" + value)
    return b"&".join(parts)


def _body(rng: random.Random, target: Target, token: str) -> tuple[bytes, bytes]:
    names = rng.sample(target.fields, rng.randrange(0, min(12, len(target.fields))))
    fields = [(name, rng.choice(VALUES)) for name in names]
    if rng.random() < 0.9:
        fields.insert(0, ("form_token", token))
    draw = rng.random()
    if draw < 0.6:
        body = b"&".join(
            name.encode() + b"=" + (rng.choice(RAW) if rng.random() < 0.1 else quote_plus(value).encode())
            for name, value in fields
        )
        kinds = (b"application/x-www-form-urlencoded",) * 5 + (b"application/x-www-form-urlencoded; charset=\xff",)
        return body, rng.choice(kinds)
    if draw < 0.85:
        boundary = rng.choice((b"xyz", b"xyz", b"xyz", b"", b"a" * 300, b"\xff"))
        body = b"".join(_part(rng, b"xyz", name, value) for name, value in fields) + rng.choice((b"--xyz--\r\n", b""))
        if rng.random() < 0.2:
            body = body[: rng.randrange(len(body) + 1)]
        kind = rng.choice((b"multipart/form-data; boundary=" + boundary,) * 4 + (b"multipart/form-data",))
        return body, kind
    return rng.choice((*RAW, b'{"a": 1}', b"x" * 80_000)), rng.choice(
        (b"application/json", b"", b"text/plain", b"\xff/;;")
    )


def _part(rng: random.Random, boundary: bytes, name: str, value: str) -> bytes:
    file = b""
    if rng.random() < 0.2:
        names = (b'"x.txt"', b'""', b'"../../x"', b'"\xff\xfe"', b'"a\x00b"', b"*=UTF-8''%ff", b'"' + b"n" * 400 + b'"')
        file = b"; filename=" + rng.choice(names) + b"\r\nContent-Type: audio/webm"
    head = rng.choice(
        (b'form-data; name="' + name.encode() + b'"',) * 9 + (b"form-data", b"\xff", b'form-data; name="')
    )
    return b"--" + boundary + b"\r\nContent-Disposition: " + head + file + b"\r\n\r\n" + value.encode() + b"\r\n"


def _further(rng: random.Random) -> list[tuple[bytes, bytes]]:
    wild: tuple[tuple[bytes, bytes], ...] = (
        (b"accept-language", rng.choice((b"de", b"\xff", b"de;q=\xff," * 400, b"en;q=1e999", b",,;;q"))),
        (b"origin", rng.choice((b"http://localhost:8125", b"null", b"http://[", b"\xff"))),
        (b"sec-fetch-site", rng.choice((b"same-origin", b"cross-site", b"\xff"))),
        (b"x-forwarded-for", rng.choice((b"127.0.0.1", b"\xff"))),
        (b"user-agent", rng.choice((b"\xff" * 200, b"Mozilla/5.0 Chrome/1 Android"))),
        (b"range", b"bytes=0-99999999999999,-1"),
        (b"if-none-match", b'"\xff'),
        (b"expect", b"100-continue"),
        (b"transfer-encoding", b"chunked, \xff"),
        (b"content-encoding", b"gzip"),
        (b"cookie", rng.choice(COOKIES)),
    )
    return [pair for pair in wild if rng.random() < 0.05]
