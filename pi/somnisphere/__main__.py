"""``python -m somnisphere``."""

import sys

from somnisphere.cli import main

sys.exit(main())
