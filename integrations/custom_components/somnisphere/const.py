"""Names that more than one file of this integration needs."""

from typing import Final

DOMAIN: Final = "somnisphere"
CONF_NODE: Final = "node"
"""What the box calls itself on the broker; the entry's unique id."""

MANUFACTURER: Final = "Somnisphere"
MODEL: Final = "Bedside"
