"""The application that a program describes: frozen classes, one module per noun; ``analysis`` makes them."""
