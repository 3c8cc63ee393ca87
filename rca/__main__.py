"""`python -m rca`."""

from rca.cli.main import run

if __name__ == "__main__":
    run()
