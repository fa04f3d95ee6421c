"""`python -m loader.cli` is the `headwater` command."""

import sys

from loader.cli import main

sys.exit(main())
