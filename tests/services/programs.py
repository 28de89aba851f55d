"""Programs that are given as text, checked as the server checks them."""

from codeai.analysis.program import Analysis, analyse
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.model.application import Application


def analysis_of(text: str) -> Analysis:
    """All that is known of a program without errors."""
    sources = Sources()
    parsed = parse_module(sources.add("program.cai", text))
    found = analyse([parsed.module], sources)
    problems = [str(finding) for finding in (*parsed.diagnostics, *found.diagnostics) if finding.severity == "error"]
    assert not problems, problems
    return found


def application_of(text: str) -> Application:
    """What a program without errors means."""
    return analysis_of(text).application
