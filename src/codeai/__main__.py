"""``python -m codeai``: the same as the command ``codeai``."""

from codeai.cli.main import main

if __name__ == "__main__":
    main()
