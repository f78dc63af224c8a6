"""`python -m bellwether` is the `bellwether` command."""

from bellwether.cli import main

if __name__ == "__main__":  # web processes import this module again when they start
    main()
