"""Small line drawings for a child's answers, ours, as SVG in the colour of the text beside them."""

_OPEN = (
    '<svg viewBox="0 0 48 48" width="72" height="72" aria-hidden="true" focusable="false" fill="none" '
    'stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">'
)
_SUN_RAYS = "M24 5v5M24 38v5M5 24h5M38 24h5M10.5 10.5l3.6 3.6M33.9 33.9l3.6 3.6M37.5 10.5l-3.6 3.6M14.1 33.9l-3.6 3.6"
_CLOUD = '<path d="M14 34a8 8 0 0 1 1-16 11 11 0 0 1 20 3 7 7 0 0 1 0 13z"/>'
_STAR = "M0-6L1.8-1.8L6 0L1.8 1.8L0 6L-1.8 1.8L-6 0L-1.8-1.8z"

_DRAWN = {
    "shrug": '<circle cx="24" cy="13" r="7"/><path d="M24 20v16M24 24c-6 0-9 3-14-3M24 24c6 0 9 3 14-3"/>',
    "sun": f'<circle cx="24" cy="24" r="8"/><path d="{_SUN_RAYS}"/>',
    "low_sun": '<path d="M4 34h40M14 34a10 10 0 0 1 20 0M24 14v5M9 20l4 4M39 20l-4 4M12 41h24"/>',
    "moon": '<path d="M31 7a18 18 0 1 0 10 25A15 15 0 0 1 31 7z"/>',
    "shut_eye": '<path d="M8 22c7 9 25 9 32 0M13 28l-3 5M24 30v6M35 28l3 5"/>',
    "open_eye": '<path d="M6 24c8-13 28-13 36 0-8 13-28 13-36 0z"/><circle cx="24" cy="24" r="5"/>',
    "open_eyes": (
        '<path d="M3 24c4-9 16-9 19 0-3 9-15 9-19 0zM26 24c4-9 16-9 19 0-3 9-15 9-19 0z"/>'
        '<circle cx="13" cy="24" r="3"/><circle cx="35" cy="24" r="3"/>'
    ),
    "book": '<path d="M24 12c-5-4-12-4-18-2v27c6-2 13-2 18 2 5-4 12-4 18-2V10c-6-2-13-2-18 2zM24 12v27"/>',
    "ball": '<circle cx="24" cy="24" r="17"/><path d="M24 7c-8 8-8 26 0 34M24 7c8 8 8 26 0 34M7 24h34"/>',
    "mouse": (
        '<path d="M8 32c0-11 9-16 18-14l3-1c8 3 12 9 12 15zM8 32c-6 0-5-9 0-8"/>'
        '<circle cx="27" cy="14" r="5"/><path d="M34 25h.1M41 32l4 1"/>'
    ),
    "cat": (
        '<path d="M12 40V20L9 8l9 5h12l9-5-3 12v20z"/>'
        '<path d="M18 24h.1M30 24h.1M24 29v2M21 34c2 2 4 2 6 0M5 29l8 1M43 29l-8 1"/>'
    ),
    "snail": (
        '<path d="M5 38h32c5 0 6-6 5-14M42 24l-4-7M42 24l4-6"/>'
        '<path d="M10 38a14 14 0 1 1 20-8 9 9 0 1 1-9-10 5 5 0 1 1-3 8"/>'
    ),
    "worm": '<path d="M12 30c4-8 8-8 12 0s8 8 12 0"/><path d="M12 30v.1"/>',
    "snake": '<path d="M4 38c6-10 12 4 18-4S18 20 26 16s18 6 14-4M40 12l5-3M4 38v.1"/><circle cx="38" cy="10" r="3"/>',
    "frog": (
        '<path d="M8 30a16 11 0 0 1 32 0 16 9 0 0 1-32 0zM15 33c6 4 12 4 18 0M10 38l-5 4M38 38l5 4"/>'
        '<circle cx="15" cy="17" r="4"/><circle cx="33" cy="17" r="4"/>'
    ),
    "bear": (
        '<circle cx="24" cy="26" r="14"/><circle cx="12" cy="13" r="5"/><circle cx="36" cy="13" r="5"/>'
        '<path d="M19 23h.1M29 23h.1M24 28v3M20 33c3 2 5 2 8 0"/>'
    ),
    "bell": '<path d="M10 36c4-4 3-9 4-15 1-7 5-10 10-10s9 3 10 10c1 6 0 11 4 15zM24 6v5M20 40c1 4 7 4 8 0"/>',
    "storm": f'{_CLOUD}<path d="M24 34l-4 6h7l-4 6"/>',
    "cloud": _CLOUD,
    "stars": "".join(
        f'<path transform="translate({x} {y}) scale({size})" d="{_STAR}"/>'
        for x, y, size in ((14, 16, 1.4), (34, 12, 1), (31, 31, 1.8), (12, 36, 1))
    ),
}

PICTURES = {name: f"{_OPEN}{drawn}</svg>" for name, drawn in _DRAWN.items()}
