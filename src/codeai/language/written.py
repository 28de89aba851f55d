"""Types as programs write them; messages call some of them otherwise ('array')."""

from __future__ import annotations

from codeai.language import types as t


def written(type_: t.Type) -> str:
    """A type in the words of programs; ``any`` where nothing is known of it."""
    match type_:
        case t.Optional(item=item):
            return f"{written(item)}?"
        case t.List(item=item):
            return f"list({written(item)})"
        case t.Map(value=value):
            return f"map({written(value)})"
        case t.Paginated(item=item):
            return f"paginated({written(item)})"
        case t.Unknown():
            return "any"
        case t.String(length=int(length)) if length != 255:
            return f"string({length})"
        case t.Decimal(precision=int(precision), scale=scale):
            return f"decimal({precision},{scale or 0})"
        case t.Enum(name="", members=members):
            return f"enum({', '.join(members)})"
        case t.Record(fields=fields) if str(type_) == "record":
            return f"{{ {', '.join(f'{one.name}: {written(one.type)}' for one in fields)} }}" if fields else "json"
        case t.Function(parameters=parameters, result=result):
            return f"({', '.join(map(written, parameters))}) => {written(result)}"
    return str(type_)
