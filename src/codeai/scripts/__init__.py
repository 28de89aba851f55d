"""Scripts: top-level statements that ``codeai run`` executes, and the commands of the shell in them."""
