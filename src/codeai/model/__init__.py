"""The application that a program describes: frozen classes, one module per noun, and the lowering that makes them."""
