"""``python -m cleanhub``."""

from cleanhub.cli import main

if __name__ == "__main__":
    main()
