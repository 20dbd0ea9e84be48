"""Serving the page. The only file that imports uvicorn."""

import logging

import uvicorn
from starlette.types import ASGIApp

MOST_AT_ONCE = 64
HEADER_BYTES = 32_768


def serve(app: ASGIApp, host: str, port: int) -> bool:
    """Until SIGINT or SIGTERM. False: it could not begin (uvicorn has said why).

    No header of a proxy is believed: who asks is who is connected.
    """
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # a guest's broken form is no news
    server = uvicorn.Server(settings(app, host, port))
    try:
        server.run()
    except SystemExit:  # so it says that the address is not to be had
        return False
    return True


def settings(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=MOST_AT_ONCE,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_graceful_shutdown=3,
    )
