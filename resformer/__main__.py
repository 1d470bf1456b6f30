"""`python -m resformer`."""

import sys

from resformer.scripts.cli.main import main

sys.exit(main())
