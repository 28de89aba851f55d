"""What the names of a program refer to: where each is declared (``declared``), and where it is used (``uses``)."""
