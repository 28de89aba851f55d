"""Findings as SARIF 2.1.0 (OASIS), which code scanning of GitHub, Azure and editors read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from codeai.language.codes import entry
from codeai.language.diagnostics import Diagnostic, Edit, Severity, Span
from codeai.language.source import Sources

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.HINT: "note"}


def sarif_text(diagnostics: Sequence[Diagnostic], sources: Sources, version: str) -> str:
    """All findings as one SARIF log with one run.

    :param version: that of CodeAI, for ``tool.driver``
    """
    codes = sorted({found.code for found in diagnostics})
    driver = {
        "name": "codeai",
        "semanticVersion": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, codes.index(found.code), sources) for found in diagnostics],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    known = entry(code)
    if known is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.text.partition("\n\n")[0]},
        "help": {"text": f"{known.text}\n\ncodeai explain {code}", "markdown": f"{known.text}\n\n`codeai explain {code}`"},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _result(found: Diagnostic, rule: int, sources: Sources) -> dict[str, Any]:
    text = "\n".join(part for part in (found.message, found.help, found.note) if part)
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _physical(found.primary, sources)}],
        "properties": {"class": str(found.kind)},
    }
    if found.secondary:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(span, sources), "message": {"text": span.label or "see here"}}
            for number, span in enumerate(found.secondary)
        ]
    if found.edits:
        result["fixes"] = [_fix(found.edits, found.help, sources)]
    return result


def _fix(edits: Sequence[Edit], text: str, sources: Sources) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in edits:
        place = _physical(Span(edit.start, edit.end), sources)
        replacement = {"deletedRegion": place["region"], "insertedContent": {"text": edit.replacement}}
        changes.setdefault(place["artifactLocation"]["uri"], []).append(replacement)
    return {
        "description": {"text": text or "apply"},
        "artifactChanges": [{"artifactLocation": {"uri": uri}, "replacements": listed} for uri, listed in changes.items()],
    }


def _physical(span: Span, sources: Sources) -> dict[str, Any]:
    start = sources.locate(span.start)
    end = sources.file_at(span.start).locate(max(span.start, span.end))
    region = {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}
    return {"artifactLocation": {"uri": quote(start.path.removeprefix("./"), safe="/")}, "region": region}
