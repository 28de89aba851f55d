"""Works and statements in a few words, as a picture says them."""

from __future__ import annotations

from datetime import timedelta

from codeai.language.durations import duration_text
from codeai.model import expression as ex
from codeai.model import statement as st
from codeai.model.workflow import Work


def work_words(work: Work) -> list[str]:
    """What a step does, one line for each thing."""
    if work.kind == "wait":
        return [f"wait for {work.event}" + (" that matches" if work.value is not None else "")]
    if work.kind == "sleep":
        value = _constant(work.value)
        return [f"sleep {duration_text(value // timedelta(milliseconds=1))}" if isinstance(value, timedelta) else "sleep"]
    if work.kind == "check":
        return ["check a condition"]
    found = [expression_words(work.value)] if work.value is not None else [statement_words(statement) for statement in work.body]
    words = [words for words in found if words] or [work.kind]
    return [*words, "wait for its end"] if work.awaits else words


def undo_words(body: st.Block) -> str:
    """What a compensation does."""
    found = [statement_words(statement) for statement in body]
    return ", ".join(words for words in found if words) or "nothing is to be undone"


def statement_words(statement: st.Statement) -> str:
    """A statement in a few words; an empty text when it has no effect to speak of."""
    match statement:
        case st.Emit(event=event):
            return f"emit {event}"
        case st.Send(channel=channel):
            return f"send {channel}"
        case st.Log():
            return "log"
        case st.Sleep():
            return "sleep"
        case st.If() | st.Require():
            return "decide" if isinstance(statement, st.If) else "check a condition"
        case st.For():
            return "repeat"
        case st.Fail(failure=failure):
            return f"fail {failure.status}"
        case st.Let(value=value) | st.Assign(value=value) | st.Evaluate(value=value):
            return expression_words(value)
        case st.Return(value=value) if value is not None:
            return expression_words(value, plain="")
    return ""


def expression_words(expression: ex.Expression, plain: str = "compute") -> str:
    """An expression in a few words; ``plain`` when it only computes."""
    match expression:
        case ex.Convert(operand=operand):
            return expression_words(operand, plain)
        case ex.UpdateRows(entity=entity) | ex.ChangeRow(entity=entity):
            return f"update {entity}"
        case ex.DeleteRows(entity=entity) | ex.RemoveRow(entity=entity):
            return f"delete {entity}"
        case ex.CreateRow(entity=entity):
            return f"create {entity}"
        case ex.Selection(entity=entity):
            return f"query {entity}"
        case ex.CallOperation(integration=integration, operation=operation):
            return f"call {integration}.{operation}"
        case ex.CallActivity(source=source):
            return f"activity {source}"
        case ex.CallFunction(function=function):
            return f"{function}()"
        case ex.StartRun(kind=kind, target=target):
            return f"start {target}" if kind == "workflow" else f"run {target}"
    return plain


def _constant(expression: ex.Expression | None) -> object:
    inner = expression.operand if isinstance(expression, ex.Convert) else expression
    return inner.value if isinstance(inner, ex.Constant) else None
