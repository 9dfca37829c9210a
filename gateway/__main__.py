"""`python -m gateway` is `vigil`."""

import sys

from gateway.cli import main

sys.exit(main())
