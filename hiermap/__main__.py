"""`python -m hiermap`."""

from hiermap.cli import run

if __name__ == "__main__":
    run()
