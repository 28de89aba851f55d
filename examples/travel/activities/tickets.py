"""Tickets as text: an activity is a plain function, and gets its arguments by name."""


def print_ticket(trip: str, seats: int) -> dict[str, object]:
    """The ticket of a trip."""
    return {"number": f"T-{trip[:8]}", "lines": [f"seat {seat + 1}" for seat in range(seats)]}
