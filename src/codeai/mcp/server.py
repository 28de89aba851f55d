"""The tools and the resources, and what serves them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypedDict

import anyio.to_thread
import msgspec
from mcp.server import MCPServer
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from codeai import __version__
from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.rendering.records import record
from codeai.language.rendering.text import rich
from codeai.mcp import manual
from codeai.mcp.programs import Programs, Unusable, formatted
from codeai.mcp.tests import SECONDS, run_tests
from codeai.server.loading import Loaded

_INSTRUCTIONS: Final = """CodeAI is a language for back ends: one .cai program declares entities, policies, endpoints, events, workflows
and jobs. Before you write or change a program, call 'reference' once: it teaches the whole language on one page. Then write, and call
'check' until it is valid: each finding says what is wrong, where, and mostly what to write instead; 'fix' applies the edits that are safe.
'explain' has more on the code of a finding, 'reference' with a page name has more on a construct. 'format' gives the canonical form,
'test' runs the test blocks of a program in the folder. No tool writes a file."""
_READS: Final = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_RUNS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True
)  # it runs the program
_SHOWN: Final = 50
_FILE: Final = "A .cai file or the folder of a program, relative to the folder that is served."

_Program = Annotated[str | None, Field(description="The text of a program.")]
_Path = Annotated[str | None, Field(description=_FILE)]
_Text = Annotated[str, Field(description="The text of a program.")]


class Checked(TypedDict):
    """What the compiler says of a program; ``diagnostics`` are those of ``codeai validate --output json``."""

    valid: bool
    errors: int
    warnings: int
    diagnostics: list[dict[str, Any]]
    left_out: int


class Mended(TypedDict):
    """A program with its safe edits, and what is left to do."""

    program: str
    fixes: int
    valid: bool


class Tested(TypedDict):
    """The tests of a program, as ``codeai test --output json`` gives them."""

    passed: int
    failed: int
    tests: list[dict[str, Any]]


class Tools:
    """What agents may ask, each a method; its docstring is what they are told of it.

    :param programs: those of the folder that is served
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def check(
        self,
        program: _Program = None,
        path: _Path = None,
        limit: Annotated[int, Field(ge=1, le=1000, description="The most findings to show.")] = _SHOWN,
    ) -> Annotated[CallToolResult, Checked]:
        """Check a program, given as text or by its path: all errors, warnings and hints, each with its place and what to write instead."""
        try:
            found = await anyio.to_thread.run_sync(self._programs.loaded, program, path)
        except Unusable as error:
            return _refused(error)
        return _checked(found, limit)

    async def fix(self, program: _Text) -> Annotated[CallToolResult, Mended]:
        """Apply the safe edits of a program's findings, and return the program with what is left to do."""
        text, count = await anyio.to_thread.run_sync(self._programs.mended, program)
        left = await anyio.to_thread.run_sync(self._programs.loaded, text, None)
        said = _said(left.diagnostics[:_SHOWN], left)
        return _answer(text, {"program": text, "fixes": count, "valid": left.valid}, f"{count} applied. {said}")

    async def format(self, program: _Text) -> CallToolResult:
        """Return a program in the canonical form; older spellings are rewritten. Its meaning stays."""
        try:
            return _text(await anyio.to_thread.run_sync(formatted, program))
        except Unusable as error:
            return _refused(error)

    async def explain(self, code: Annotated[str, Field(description="The code of a finding, as CAI0102.")]) -> CallToolResult:
        """Say what the code of a finding means, with a wrong and a right sample."""
        try:
            return _text(manual.explanation(code))
        except Unusable as error:
            return _refused(error)

    async def reference(self, page: Annotated[str | None, Field(description="A page; by default all on one.")] = None) -> CallToolResult:
        """Read about the language: without 'page' all of it in 4,000 tokens, with 'page' one page of the manual."""
        try:
            return _text(manual.page(page) if page else manual.overview())
        except Unusable as error:
            return _refused(error)

    async def test(
        self,
        path: Annotated[str, Field(description=_FILE)] = ".",
        name: Annotated[str, Field(description="Only tests whose name contains this text.")] = "",
    ) -> Annotated[CallToolResult, Tested]:
        """Run the test blocks of a program, each against a fresh database, and return what passed and what failed, and why."""
        try:
            results = await run_tests(self._programs.path(path), name, SECONDS)
        except Unusable as error:
            return _refused(error)
        failed = [result for result in results if not result["passed"]]
        told = [f"{len(results) - len(failed)} passed, {len(failed)} failed"]
        told += [f"FAIL {one['name']} ({one['path']}:{one['line']}:{one['column']}): {one['failure']}" for one in failed]
        return _answer("\n".join(told), {"passed": len(results) - len(failed), "failed": len(failed), "tests": results})


def serving(folder: Path) -> MCPServer:
    """The server of a folder's programs.

    :param folder: what paths are relative to; nothing outside of it is read
    """
    tools = Tools(Programs(folder))
    server = MCPServer("codeai", title="CodeAI", instructions=_INSTRUCTIONS, version=__version__, log_level="ERROR")
    server.add_tool(tools.check, title="Check a program", annotations=_READS)
    server.add_tool(tools.fix, title="Apply safe fixes", annotations=_READS)
    server.add_tool(tools.format, title="Format a program", annotations=_READS, structured_output=False)
    server.add_tool(tools.explain, title="Explain a code", annotations=_READS, structured_output=False)
    told = f"{tools.reference.__doc__} Pages: {', '.join(manual.pages())}."
    server.add_tool(tools.reference, title="Read the manual", description=told, annotations=_READS, structured_output=False)
    server.add_tool(tools.test, title="Run the tests", annotations=_RUNS)
    _offer_resources(server)
    return server


def _offer_resources(server: MCPServer) -> None:
    @server.resource("codeai://reference", title="The language on one page", mime_type="text/markdown")
    def overview() -> str:
        """The whole language in at most 4,000 tokens."""
        return manual.overview()

    @server.resource("codeai://manual/{page}", title="A page of the manual", mime_type="text/markdown")
    def page(page: str) -> str:
        """A page on the language: entities, endpoints, workflows …"""
        return manual.page(page)

    @server.resource("codeai://codes/{code}", title="What a code means", mime_type="text/markdown")
    def code(code: str) -> str:
        """What the code of a finding means, with a wrong and a right sample."""
        return manual.explanation(code)


def _checked(program: Loaded, limit: int) -> CallToolResult:
    found = sorted(program.diagnostics, key=lambda item: (_ORDER[item.severity], item.primary.start))
    shown, left_out = found[:limit], max(0, len(found) - limit)
    told = _said(shown, program) + (f"\n\n{left_out} more findings are left out; mend these first." if left_out else "")
    data = {
        "valid": program.valid,
        "errors": sum(item.severity is Severity.ERROR for item in found),
        "warnings": sum(item.severity is Severity.WARNING for item in found),
        "diagnostics": [msgspec.to_builtins(record(item, program.sources)) for item in shown],
        "left_out": left_out,
    }
    return _answer(told, data)


_ORDER: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2, Severity.INFO: 3}


def _said(found: Sequence[Diagnostic], program: Loaded) -> str:
    return "\n\n".join(["valid" if program.valid else "not valid", *(rich(item, program.sources) for item in found)])


def _answer(text: str, data: dict[str, Any], *more: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=part) for part in (text, *more)], structured_content=data)


def _text(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)])


def _refused(error: Unusable) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=str(error))], is_error=True)
