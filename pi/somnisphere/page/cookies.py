"""The page's cookies, as header lines. Pure.

Plain http within the house: ``SameSite=Lax``. A card in a dashboard of the same host keeps such a cookie (a site is a
host whatever its port); a card of another host does not, and no browser offers a way without https. Where a proxy gives
https (``page.https``), cookies are ``SameSite=None; Secure; Partitioned``, which a card of any host keeps, apart from
the same page opened by itself.
"""

YEAR_S = 365 * 86400


def cookie(name: str, value: str, max_age_s: int, *, https: bool) -> str:
    """A ``Set-Cookie`` line; ``max_age_s`` 0 takes the cookie away. ``value`` is of our own making: letters and -_."""
    where = "SameSite=None; Secure; Partitioned" if https else "SameSite=Lax"
    return f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; {where}"
