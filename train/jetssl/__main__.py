"""`python -m jetssl`."""

from jetssl.cli import main

if __name__ == "__main__":
    main()
