"""Programs that no author means: whatever the text is, the answer is a list of findings with places, never a crash."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeai.language.rendering.text import concise, rich
from codeai.server.loading import LoadError, load_program

BOOKSHOP = "\n".join(path.read_text() for path in sorted((Path(__file__).parents[2] / "examples" / "bookshop").glob("*.cai")))


def found(text: str | bytes, folder: Path) -> list[str]:
    """The findings on a program, rendered both ways."""
    file = folder / "app.cai"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    program = load_program(file)
    for finding in program.diagnostics[:20]:
        source = program.sources.file_at(finding.primary.start)
        assert finding.primary.start <= finding.primary.end
        assert source is not None
        rich(finding, program.sources)
    return [
        concise(finding, program.sources).removeprefix(str(folder) + "/") for finding in program.diagnostics if finding.severity == "error"
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "// nothing\n", "# nothing", "/* nothing */", "\ufeff", "\r\n\r\n"])
def test_an_empty_program_is_valid(tmp_path, text):
    assert found(text, tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x01\x02\x03", "not a text"),
        (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 20, "not UTF-8 text"),
        (b"entity A { id: uuid }\x00", "not a text"),
        (b"entity \xff { }", "not UTF-8 text"),
        ("entity A { }".encode("utf-16"), "not UTF-8 text"),
        (b"\x1f\x8b\x08\x00" + os.urandom(2000), "not UTF-8 text"),
        (b"x" * 10_000_001, "larger than 10,000,000 bytes"),
    ],
    ids=["null", "elf", "null at the end", "bad byte", "utf-16", "gzip", "10 MB"],
)
def test_what_is_no_text_is_said_once(tmp_path, content, message):
    errors = found(content, tmp_path)
    assert len(errors) == 1 and message in errors[0] and "app.cai" in errors[0]


def test_nearly_ten_megabytes_of_program_are_read(tmp_path):
    text = "// a line of a very long comment that says nothing at all\n" * 160_000
    assert found(text[:9_900_000] + "\n", tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "entity",
        "entity {",
        "entity A",
        "entity A {",
        "entity A { id",
        "entity A { id: ",
        "entity A { id: string(",
        "entity A { id: list(",
        'entity A { id: string, default("',
        "entity A { id: string, default('a",
        'entity A { id: string, default("""a',
        'entity A { id: string, default("{a',
        'entity A { id: string, default("{a(',
        "entity A { id: uuid, primary check: (1 + ",
        "/* never closed",
        "config { a: { b: { c: [",
        "endpoint GET /a { do { if x { for y in z { return [1, 2, {a: (",
        'endpoint GET "/a',
        "endpoint GET /a/{",
        "endpoint",
        "endpoint GET",
        "resource A at",
        "function f(",
        "function f(a: int",
        "function f(a: int) -> ",
        "enum A {",
        "enum A { a,",
        "type A { a: enum(",
        "role a { permissions: [",
        'test "x" {',
        'test "x',
        "seed {",
        "import",
        'import "',
        "auth",
        "auth main { method:",
        "workflow W { steps { a { do {",
        "job J { schedule:",
        "on X where",
        "event E { payload {",
        "}}}}}",
        ")",
        "@",
        "@@@",
        "\\",
        "'",
        '"',
        "entity A { } }",
        "§ entity A { }",
        "entity Ä { id: uuid, primary }",
        "\u202eentity A { id: uuid, primary }",
        "entity A\u200b { id: uuid, primary }",
    ],
)
def test_what_is_not_closed_or_not_begun_has_an_error_with_its_place(tmp_path, text):
    errors = found(text, tmp_path)
    assert errors, "nothing was found"
    assert all(error.split(":")[1].isdigit() and error.split(":")[2].isdigit() for error in errors), errors
    assert len(errors) <= 6, errors


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000,
        "[" * 20_000,
        "{" * 20_000,
        "config { a: " + "[" * 5_000 + "]" * 5_000 + " }",
        "function f() -> int { return " + "(" * 5_000 + "1" + ")" * 5_000 + " }",
        "function f() -> int { return " + "-" * 5_000 + "1 }",
        "function f() -> bool { return " + "not " * 5_000 + "true }",
        "function f() -> int { return " + "1 + " * 20_000 + "1 }",
        "function f() { " + "if true { " * 3_000 + "}" * 3_000 + " }",
        "function f() -> int { return a" + ".b" * 20_000 + " }",
        "function f() -> int { return " + "true ? 1 : " * 5_000 + "1 }",
        'function f() -> string { return "' + "{(" * 2_000 + '" }',
        "type A { a: " + "list(" * 5_000 + "int" + ")" * 5_000 + " }",
        "entity A { " + "a: int, " * 20_000 + "}",
        "x" * 1_000_000,
        "9" * 100_000,
        "config { a: " + "9" * 100_000 + " }",
        "config { a: 1e999999999 }",
        "config { a: 0." + "0" * 50_000 + "1 }",
        "config { a: 99999999999999999999d }",
        "config { a: 99999999999999999999gb }",
    ],
    ids=lambda text: text[:14] + str(len(text)),
)
def test_depth_and_length_have_limits_that_are_said(tmp_path, text):
    found(text, tmp_path)


E = "entity A { id: uuid, primary, auto }\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (E + E, "duplicate declaration 'A'"),
        ("entity A { id: uuid, primary  id: int }", "duplicate declaration 'id'"),
        ("enum K { a, b, a }", "duplicate declaration 'a'"),
        ("enum A { a }\n" + E, "duplicate declaration 'A'"),
        ("role r { permissions: [] } role r { permissions: [] }", "duplicate declaration 'r'"),
        ("function f(a: int, a: int) -> int { return a }", "duplicate parameter 'a'"),
        ("function f() -> int { let a = 1  let a = 2  return a }", "duplicate declaration 'a'"),
        ("type T { a: int  a: int }", "duplicate declaration 'a'"),
        (E + 'entity B { id: uuid, primary, auto  table: "as" } entity C { id: uuid, primary, auto  table: "as" }', "table"),
        ("entity Workflow { id: uuid, primary, auto }", "table 'workflows'"),
        ("entity Execution { id: uuid, primary, auto }", "table 'executions'"),
        ('entity X { id: uuid, primary, auto  table: "audit_log" }', "table 'audit_log'"),
        ('entity X { id: uuid, primary, auto  table: "codeai_schema" }', "table 'codeai_schema'"),
        (E + "resource A at /a { auth: public } resource A at /a { auth: public }", "/a"),
        ("endpoint GET /a { auth: public  do { return 1 } } endpoint GET /a { auth: public  do { return 2 } }", "/a"),
        ("endpoint GET /a/{x} { auth: public  do { return 1 } } endpoint GET /a/{y} { auth: public  do { return 2 } }", "/a/{"),
        ("endpoint GET /a/{x}/{x} { auth: public  do { return 1 } }", "'x'"),
        ("endpoint GET /health { auth: public  do { return 1 } }", "/health"),
        ("endpoint GET /docs { auth: public  do { return 1 } }", "/docs"),
        ("endpoint GET /openapi.json { auth: public  do { return 1 } }", "/openapi.json"),
        ("endpoint GET /llms.txt { auth: public  do { return 1 } }", "/llms.txt"),
        ("endpoint POST /api/v1/query { auth: public  do { return 1 } }", "/api/v1/query"),
        ("entity A { id: uuid, primary, auto  b: ref(B) }", "'B'"),
        ("entity A { id: uuid, primary, auto  b: string, colour(red) }", "unknown modifier 'colour'"),
        ("entity A { id: uuid, primary, auto  b: string, rename_from(1) }", "rename_from takes the name"),
        ("entity A { id: uuid, primary, auto  b: string, rename_from(b) }", "'b' is what the field is called"),
        ("entity A { id: uuid, primary, auto  b: string, rename_from(c)  c: int }", "'c' is another field of 'A'"),
        ("entity A { id: uuid, primary, auto  b: strong }", "'strong'"),
        ("entity A { id: uuid, primary, auto  colour: { red } }", "expected a type"),
        ("config { database: oracle { } }", "oracle"),
        ("auth a { method: jwt  colour: 1 }", "colour"),
        ("endpoint GET /a { auth: sometimes  do { return 1 } }", "sometimes"),
        ("endpoint GET /a { auth: public  roles: [x]  do { return 1 } }", "public"),
        ("endpoint GET /a { roles: [ghost]  do { return 1 } }", "ghost"),
        ("endpoint FETCH /a { auth: public  do { return 1 } }", "FETCH"),
        ("role a { permissions: []  inherits: [b] } role b { permissions: []  inherits: [a] }", "inherit"),
        ("entity A { id: uuid, primary, auto  a: string = b  b: string = a }", "'a'"),
        ("function f() -> int { return g() }", "undefined function 'g'"),
        ("function f() -> int { return nothing }", "undefined variable 'nothing'"),
        (E + "seed { update A set id = id }", "where"),
        (E + "seed { delete A }", "where"),
    ],
)
def test_clashes_and_unknown_names_are_errors(tmp_path, text, message):
    errors = found(text, tmp_path)
    assert any(message in error for error in errors), errors


def test_references_in_circles_are_fine_where_rows_can_begin_them(tmp_path):
    text = "entity A { id: uuid, primary, auto  b: ref(B)  a: ref(A) } entity B { id: uuid, primary, auto  a: ref(A), required }"
    assert found(text, tmp_path) == []


def test_imports_in_circles_are_read_once(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b.cai").write_text('import "*.cai"\nentity B { id: uuid, primary, auto }')
    assert found('import "parts/*.cai"\nimport "app.cai"\nentity A { id: uuid, primary, auto  b: ref(B) }', tmp_path) == []


@pytest.mark.parametrize("pattern", ["../*.cai", "/etc/*", "parts/../../x.cai", "nothing/*.cai", "", "~/x.cai", "[", "**/../../*"])
def test_imports_stay_in_the_folder_and_find_something(tmp_path, pattern):
    (tmp_path.parent / "x.cai").write_text("entity Outside { id: uuid, primary, auto }")
    errors = found(f'import "{pattern}"', tmp_path)
    assert len(errors) == 1, errors


def test_a_folder_that_leads_into_itself_is_read_once(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert found('import "loop/loop/*.cai"\nimport "loop/*.cai"', tmp_path) == []


def test_unreadable_places_are_said(tmp_path):
    for path in (tmp_path / "missing.cai", tmp_path / "missing" / "app.cai", tmp_path / "empty"):
        if path.name == "empty":
            path.mkdir()
        with pytest.raises(LoadError):
            load_program(path)
    (tmp_path / "folder.cai").mkdir()
    with pytest.raises(LoadError):
        load_program(tmp_path / "folder.cai")


PIECES = ["", "{", "}", "(", ")", '"', "'", ",", ":", "@", "\\", " where ", " = ", "/*", "\n", "\x01", "é", "1e9"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_program_never_crashes_the_checker(tmp_path_factory, data):
    text = BOOKSHOP
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        put = data.draw(
            st.sampled_from(["", "{", "}", "(", ")", '"', "'", ",", ":", "@", "\\", " where ", " = ", "/*", "\n", "\x01", "é", "1e9"])
        )
        text = text[:at] + put + text[at + length :]
    found(text, tmp_path_factory.getbasetemp())
