"""A verdict of the policies in words: what the rules are, which of them apply, and which decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from codeai.language.source import Sources
from codeai.model.entity import Action, Entity
from codeai.query.verdicts import Answer, Verdict

_VERDICTS = {True: "allowed", False: "denied", None: "depends on the row"}


def verdict_document(entity: Entity, action: Action, verdict: Verdict, sources: Sources) -> dict[str, Any]:
    """The verdict as it is printed with ``--output json``."""
    rules = [
        {"kind": rule.kind, "source": rule.source, "place": str(sources.locate(rule.at)), "applies": rule.applies} for rule in verdict.rules
    ]
    status = _status(action, verdict)
    return {
        "entity": entity.name,
        "action": action,
        "verdict": _VERDICTS[verdict.allowed],
        "status": status,
        "because": sentence(entity, action, verdict),
        "rules": rules,
    }


def lines(document: dict[str, Any]) -> Iterable[str]:
    """The same for people."""
    words = {"allow": ("applies", "does not apply"), "tenant": ("the row is theirs", "not their row"), "hide": ("hidden", "shown")}
    texts = []
    for rule in document["rules"]:
        word = "depends on the row" if rule["applies"] is None else words[rule["kind"]][0 if rule["applies"] else 1]
        texts.append((word, rule["source"], rule["place"]))
    for word, source, place in texts:
        yield f"{word:<{max(len(each[0]) for each in texts)}}  {source:<{max(len(each[1]) for each in texts)}}  {place}".rstrip()
    status = f" ({document['status']})" if document["status"] else ""
    yield f"{document['verdict']}{status}: {document['because']}"


def sentence(entity: Entity, action: Action, verdict: Verdict) -> str:
    """Which rule decided."""
    allows = [rule for rule in verdict.rules if rule.kind == "allow"]
    tenant = next((rule for rule in verdict.rules if rule.kind == "tenant"), None)
    if verdict.allowed:
        return _allowed(entity, allows, tenant)
    if entity.guarded and not allows:
        return f"'{entity.name}' has 'allow' lines and none of them is for '{action}', so nobody but the system may do it"
    if verdict.allowed is None:
        open_ = [rule for rule in (*([tenant] if tenant else ()), *allows) if rule.applies is None]
        return (
            f"{_quoted(open_)} {'decides' if len(open_) == 1 else 'decide'}; ask again with --key or --row"
            if open_
            else _by_reading(action)
        )
    if tenant is not None and tenant.applies is False:
        return f"'{tenant.source}': the row belongs to another tenant"
    if allows and not any(rule.applies for rule in allows):
        return f"no 'allow' line for '{action}' applies"
    return _by_reading(action)


def _allowed(entity: Entity, allows: Sequence[Answer], tenant: Answer | None) -> str:
    within = f", within '{tenant.source}'" if tenant is not None else ""
    if not entity.guarded:
        return f"'{entity.name}' has no 'allow' line, so the guard of the endpoint alone decides{within}"
    return f"{_quoted([rule for rule in allows if rule.applies])} lets the caller{within}"


def _by_reading(action: Action) -> str:
    if action == "read":
        return "the row is deleted"
    return "whoever changes a row must be able to read it; ask about 'read'"


def _quoted(rules: Sequence[Answer]) -> str:
    texts = [f"'{rule.source}'" for rule in rules]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _status(action: Action, verdict: Verdict) -> int | None:
    """What a caller is answered: rows that cannot be read look as if they were not there."""
    if verdict.allowed is not False:
        return None
    if action == "read":
        return 404
    if action == "create":
        return 403
    return {True: 403, False: 404, None: None}[verdict.visible]
