"""``test`` blocks of programs: each against a fresh database, requests through the real application."""
