"""`python -m cli`, as `./rapport` calls it."""

from cli.main import app

app(prog_name="rapport")
