"""How the rooms are put together, one file per room; ``composition`` calls these and nothing else does."""
