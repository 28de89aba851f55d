"""What a schema cannot say: ``q`` is a language, a page has a number or a cursor, not both, a new request needs a new key,
and two fields of a row obey a check.

Only values that the schema admits are replaced, so that what it forbids is still sent.
"""

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Equal keys make one request of several, which is not what a generator means (``tests/http/test_idempotency.py`` does)."""
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [each for each in operation.get("parameters", ()) if each["name"] != "Idempotency-Key"]


def _within_the_check(body):
    """``check: price >= (cost ?? 0)`` of the bookshop's books, which no schema can say."""
    if not isinstance(body, dict):
        return
    if _number(body.get("cost")) and body["cost"] >= 0:
        body.pop("cost")
    if _number(body.get("price")) and 0 <= body["price"] <= 10_000:
        body["price"] = 10_000


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


@schemathesis.hook
def before_call(context, case, kwargs):
    _within_the_check(case.body)
    query = case.query
    if not isinstance(query, dict):
        return
    if isinstance(query.get("q"), str) and len(query["q"]) <= 2000:
        query["q"] = "id is not null"
    if "cursor" in query and str(query.get("page", "")).isdigit():
        query.pop("page")
