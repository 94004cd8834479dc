"""`python -m cli`, as `./rapport` calls it."""

import sys

try:
    from cli.main import app

    app(prog_name="rapport")
except KeyboardInterrupt:  # before a command began, or after it
    sys.stderr.write("rapport: interrupted\n")
    sys.exit(130)
