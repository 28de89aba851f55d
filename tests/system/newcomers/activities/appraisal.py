"""What a lot may bring, by what it is called."""

from decimal import Decimal

USUAL = {"art": 800, "books": 40, "cars": 9000, "wine": 60}


def appraise(title: str, category: str) -> dict[str, Decimal]:
    usual = Decimal(USUAL.get(category, 100)) + len(title)
    return {"low": usual / 2, "high": usual * 2}
