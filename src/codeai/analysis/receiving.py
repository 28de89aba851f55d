"""What surrounds the operation of an endpoint: the check of a sender's signature before it, ``on_success`` after it."""

from __future__ import annotations

from typing import Any, Final

from codeai.analysis.inference import Inference
from codeai.analysis.scope import Host, Scope
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.endpoint import (
    CreateOne,
    DeleteOne,
    EndpointAction,
    EntityAction,
    Inputs,
    ListRows,
    ModifyRow,
    ReplaceRow,
    Returns,
    RunBlock,
    Verification,
)
from codeai.model.statement import Block

_SCHEMES: Final[dict[str, tuple[str, ...]]] = {
    "standard_webhooks": ("tolerance",),
    "hmac_sha256": ("header", "id", "timestamp", "tolerance"),
}
_WRITES: Final = (CreateOne, ModifyRow, ReplaceRow, DeleteOne, RunBlock)


class Receiving(Inference):
    """Elaborates ``verify`` and ``on_success``."""

    # -- verify ----------------------------------------------------------------------------------------------------

    def verification(self, clauses: tuple[d.Clause, ...]) -> Verification | None:
        """How the sender of an inbound webhook is known: ``standard_webhooks(secret(X))`` or ``hmac_sha256(header: "X", secret(X))``."""
        clause = next((c for c in clauses if isinstance(c, d.ValueClause) and c.key.text == "verify"), None)
        if clause is None:
            return None
        node = clause.value
        name = node.callee.text if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name) else ""
        if not isinstance(node, ex.Call) or name not in _SCHEMES:
            self.report.unknown(node, f"unknown verification '{name}'" if name else "this is no verification", name, _SCHEMES, "CAI0127")
            return None
        scope = Scope(Host("a verification", user=False, database=False))
        secrets: list[ir.Expression] = []
        values: dict[str, Any] = {}
        for argument in node.arguments:
            key = argument.name.text if argument.name is not None else ""
            if key and key not in _SCHEMES[name]:
                self.report.unknown(argument, f"'{name}' takes no '{key}'", key, _SCHEMES[name], "CAI0118")
            elif key:
                values[key] = self._verification_value(key, argument.value)
            else:
                self._literal_secret(argument.value)
                secrets.append(self.value(argument.value, scope, t.String(), "the secret", nullable=False))
        if not secrets:
            self.report.absent(node, node, f"missing the secret in '{name}'", "CAI0306", help_text=f"write {name}(…, secret(NAME))")
        if name == "hmac_sha256" and "header" not in values:
            self.report.absent(node, node, "missing 'header' in 'hmac_sha256'", "CAI0306", help_text='name it, as in header: "X-Signature"')
        return Verification(scheme=name, secrets=tuple(secrets), at=clause.start, **values)  # type: ignore[arg-type]  # one of two

    def _verification_value(self, key: str, node: ex.Expression) -> Any:
        if key == "tolerance":
            if isinstance(node, ex.DurationLiteral) and node.milliseconds > 0:
                return node.milliseconds
            self.report.error(node, "'tolerance' takes a duration, as in 5m", "CAI0505")
            return 300_000
        if isinstance(node, ex.StringLiteral) and node.value:
            return node.value
        self.report.error(node, f"'{key}' takes the name of a header", "CAI0505")
        return ""

    def _literal_secret(self, node: ex.Expression) -> None:
        if isinstance(node, ex.StringLiteral):
            self.report.secret_in_text(node, "webhook")

    # -- on_success ------------------------------------------------------------------------------------------------

    def success(self, clauses: tuple[d.Clause, ...], inputs: Inputs, returns: Returns, action: EndpointAction) -> tuple[Block, Host | None]:
        """What an operation does once it has succeeded, in its transaction. ``result`` is what it answers, of a deletion the row.

        An ``emit`` without a payload is filled by name from the result, else the body, else the path.
        """
        clause = next((c for c in clauses if isinstance(c, d.OnClause) and c.key.text == "on_success"), None)
        if clause is None:
            return (), None
        if not isinstance(action, _WRITES):
            hint = "it stands at operations that write, or in a 'do' block"
            self.report.error(clause, "'on_success' does not stand at an operation that only reads", "CAI0515", help_text=hint)
        result = t.Row(action.entity) if isinstance(action, EntityAction) and not isinstance(action, ListRows) else returns.type
        values: dict[str, t.Type] = {"result": result if result is not None else t.Json(), "changes": t.Json()}
        host = Host("'on_success'", inputs=inputs, values=values)
        host.sources = self._sources_of_success(inputs, result, clause)
        return self.host_block(clause.body, Scope(host)), host

    def _sources_of_success(self, inputs: Inputs, result: t.Type | None, clause: d.OnClause) -> dict[str, ir.Expression]:
        found: dict[str, ir.Expression] = {
            field.name: ir.RequestValue(type=field.type, place="path", name=field.name, at=clause.start) for field in inputs.path
        }
        for field in inputs.body.fields if inputs.body is not None else ():
            type_ = t.optional(field.type) if field.nullable or not field.required else field.type
            if not field.write_only:
                found[field.name] = ir.RequestValue(type=type_, place="body", name=field.name, at=clause.start)
        if result is not None:
            found |= self.sources_of(ir.HostValue(type=result, name="result", at=clause.start))
        found.setdefault("changes", ir.HostValue(type=t.Json(), name="changes", at=clause.start))
        return found
