"""`python -m rflo_repro` is `rflo-repro`."""

from rflo_repro.cli import main

if __name__ == "__main__":
    main()
