"""The command ``codeai``: one file per command, loaded when used."""
