"""Python beside the program: checked without being run, loaded only where it is run."""
