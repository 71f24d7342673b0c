"""Makes `python -m fairsynergy.cli` the same as `fairsynergy`."""

import sys

from fairsynergy.cli import main

if __name__ == "__main__":
    sys.exit(main())
