"""``python -m entropylaw`` is the command ``entropylaw``."""

import sys

from entropylaw.cli import main

sys.exit(main())
