"""`python -m chatforge_tui` is `chatforge`."""

from chatforge_tui.cli.main import main

if __name__ == "__main__":
    main()
