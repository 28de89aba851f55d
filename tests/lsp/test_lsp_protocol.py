"""A whole session with a real server."""

import asyncio
import sys
from pathlib import Path

from editor import Editor, span

GOOD = "entity Book {\n    id: uuid, primary, auto\n    title: string, required\n\n    allow read: public\n}\n"


async def test_findings_come_with_the_text_and_go_when_it_is_mended_or_closed(editor: Editor, write) -> None:
    path = write("app.cai", GOOD)
    uri = editor.open(path, GOOD.replace("string", "strin"))
    (found,) = await editor.findings(uri, ["CAI0201"], 1)
    assert found["range"] == span(2, 11, 2, 16)
    assert (found["severity"], found["source"], found["message"].split("\n")) == (
        1,
        "codeai",
        ["TypeError: unknown type 'strin'", "help: did you mean 'string'?"]
        if "TypeError" in found["message"]
        else found["message"].split("\n"),
    )
    editor.change(uri, 2, {"range": span(2, 16, 2, 16), "text": "g"})
    assert await editor.findings(uri, [], 2) == []
    editor.change(uri, 3, {"range": span(2, 11, 2, 17), "text": "nothing"})
    await editor.findings(uri, ["CAI0201"], 3)
    editor.close(uri)  # the file itself is right
    await editor.findings(uri, [])


async def test_files_of_a_folder_are_one_program_with_what_is_open_before_what_is_saved(editor: Editor, write) -> None:
    app = write("app.cai", "type A { a: Size }\n" + GOOD.replace("title: string", "title: A"))
    other = write("sizes.cai", "enum Length { short, long }\n")
    uri, beside = editor.open(app, app.read_text()), other.as_uri()
    await editor.findings(uri, ["CAI0201"])
    await editor.findings(beside, ["CAI0131"])
    editor.open(other, "enum Size { short, long }\n")
    await editor.findings(uri, [])
    await editor.findings(beside, [])
    editor.close(beside)
    await editor.findings(uri, ["CAI0201"])
    other.write_text("enum Size { short, long }\n")
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": beside, "type": 2}]})
    await editor.findings(uri, [])
    new = app.parent / "new.cai"
    named = editor.open(new, "enum Size { other }\n")  # not saved yet
    await editor.findings(named, [])
    (double,) = await editor.findings(beside, ["CAI0102"])
    assert double["relatedInformation"][0]["message"] == "first declared here"
    assert double["relatedInformation"][0]["location"]["uri"] == named


async def test_fixes_and_the_canonical_form_are_offered(editor: Editor, write) -> None:
    text = "entity Book {\n  id: uuid, primary, auto\n    title: strin(20), required\n}\n"
    uri = editor.open(write("app.cai", text), text)
    document = {"uri": uri}
    asked = {"textDocument": document, "range": span(2, 12, 2, 12), "context": {"diagnostics": []}}
    (fix,) = [one for one in await editor.result("textDocument/codeAction", asked) if one["kind"] == "quickfix"]
    assert (fix["title"], fix["isPreferred"]) == ("Replace 'strin' by 'string'", True)
    assert fix["edit"]["changes"] == {uri: [{"range": span(2, 11, 2, 16), "newText": "string"}]}
    whole = {**asked, "context": {"diagnostics": [], "only": ["source.fixAll"]}}
    (everything,) = await editor.result("textDocument/codeAction", whole)
    assert everything["edit"]["changes"][uri] == [{"range": span(2, 0, 3, 0), "newText": "    title: string(20), required\n"}]
    options = {"tabSize": 4, "insertSpaces": True}
    edits = await editor.result("textDocument/formatting", {"textDocument": document, "options": options})
    assert edits == [{"range": span(1, 0, 2, 0), "newText": "    id: uuid, primary, auto\n"}]


async def test_a_document_that_is_no_file_is_a_program_of_its_own(editor: Editor) -> None:
    uri = editor.open("untitled:Untitled-1", "entity A {\n    id: uuid, primary, auto\n    b: nope\n}\n")
    await editor.findings(uri, ["CAI0201"])


NASTY = ["", "\x00\x01", "\ufeffentity\r\n", "{" * 3000, "entity A { id: uuid, primary }\r\r\n\u2028 // 😀", "entity A {\r\n  b: in\r\n"]


async def test_no_text_harms(editor: Editor, tmp_path: Path) -> None:
    for number, text in enumerate(NASTY):
        document = {"uri": editor.open(tmp_path / f"{number}" / "app.cai", text)}
        await editor.result(
            "textDocument/codeAction", {"textDocument": document, "range": span(0, 0, 9, 9), "context": {"diagnostics": []}}
        )
        await editor.result("textDocument/formatting", {"textDocument": document, "options": {"tabSize": 1, "insertSpaces": True}})


async def test_what_is_malformed_or_unknown_is_answered_with_an_error(editor: Editor, write) -> None:
    assert (await editor.ask("textDocument/formatting", {"textDocument": 5}))["error"]["code"] == -32602
    assert (await editor.ask("textDocument/nonsense", {}))["error"]["code"] == -32601
    assert (await editor.ask("initialize", editor.beginning()))["error"]["code"] == -32600
    editor.tell("textDocument/nonsense", {"a": 1})
    editor.tell("textDocument/didChange", {"textDocument": 5})
    uri = editor.open(write("app.cai", GOOD), GOOD)
    await editor.findings(uri, [])


async def test_a_request_that_is_cancelled_is_answered_as_such(editor: Editor, tmp_path: Path) -> None:
    text = GOOD + "".join(f"type T{n} {{ a: int }}\n" for n in range(3000))
    uri = editor.open(tmp_path / "app.cai", text)
    id_, answer = editor.asking("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {"tabSize": 4, "insertSpaces": True}})
    editor.tell("$/cancelRequest", {"id": id_})
    assert (await asyncio.wait_for(answer, 60))["error"]["code"] == -32800


async def test_requests_before_the_beginning_and_behind_the_end_are_refused(tmp_path: Path) -> None:
    editor = await Editor(tmp_path).begin(initialize=False)
    assert (await editor.ask("textDocument/hover", {}))["error"]["code"] in (-32002, -32602)
    assert (await editor.ask("shutdown", None))["error"]["code"] == -32002
    await editor.ask("initialize", editor.beginning())
    await editor.ask("shutdown", None)
    assert (await editor.ask("shutdown", None))["error"]["code"] == -32600
    editor.tell("exit", None)
    assert await editor.ended() == 0


async def test_an_editor_that_leaves_without_a_word_ends_the_server(tmp_path: Path) -> None:
    editor = await Editor(tmp_path).begin()
    editor.tell("exit", None)
    assert await editor.ended() == 1
    editor = await Editor(tmp_path).begin()
    assert editor.process.stdin is not None
    editor.process.stdin.close()
    assert await editor.ended() == 1


async def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    editor = await Editor(tmp_path).begin(initialize=False)
    await editor.ask("initialize", {**editor.beginning(), "processId": parent.pid})
    editor.tell("initialized", {})
    parent.kill()
    await parent.wait()
    assert await editor.ended() == 1


async def test_positions_are_in_the_units_that_both_sides_agree_on(tmp_path: Path) -> None:
    text = 'entity A {\n    id: uuid, primary, auto\n    b: string = "😀é" + nope\n}\n'
    async with Editor(tmp_path, general={"positionEncodings": ["utf-7", "utf-8", "utf-16"]}) as editor:
        uri = editor.open(tmp_path / "app.cai", text)
        (found,) = await editor.findings(uri, ["CAI0101"])
        assert found["range"]["start"] == {"line": 2, "character": 27}
        assert editor.server["capabilities"]["positionEncoding"] == "utf-8"


async def test_what_is_read_of_a_program_is_answered(editor: Editor, write) -> None:
    text = "entity Book {\n    id: uuid, primary, auto\n    next: ref(Book)\n}\n"
    uri = editor.open(write("app.cai", text), text)
    place = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 16}}
    assert "entity Book" in (await editor.result("textDocument/hover", place))["contents"]["value"]
    declared = {"uri": uri, "range": span(0, 7, 0, 11)}
    assert await editor.result("textDocument/definition", place) == [declared]
    assert await editor.result("textDocument/typeDefinition", place) == declared
    found = await editor.result("textDocument/references", {**place, "context": {"includeDeclaration": True}})
    assert [one["range"] for one in found] == [span(0, 7, 0, 11), span(2, 14, 2, 18)]
    assert len(await editor.result("textDocument/documentHighlight", place)) == 2
    assert [one["name"] for one in await editor.result("textDocument/documentSymbol", place)] == ["Book"]
    assert [one["name"] for one in await editor.result("workspace/symbol", {"query": "nxt"})] == ["next"]
    assert await editor.result("textDocument/foldingRange", place) == [{"startLine": 0, "endLine": 3}]
    (selection,) = await editor.result("textDocument/selectionRange", {**place, "positions": [place["position"]]})
    assert selection["range"] == span(2, 14, 2, 18)


async def test_completion_and_renaming_are_answered(tmp_path: Path) -> None:
    async with Editor(tmp_path, textDocument={"completion": {"completionItem": {"snippetSupport": True}}}) as editor:
        text = GOOD + "function f(a: Book) -> string { return a. }\n"
        uri = editor.open(tmp_path / "app.cai", text)
        place = {"textDocument": {"uri": uri}, "position": {"line": 6, "character": 41}}
        found = await editor.result("textDocument/completion", place)
        assert [one["label"] for one in found] == ["id", "title"]
        assert found[1]["textEdit"] == {"range": span(6, 41, 6, 41), "newText": "title"}
        editor.change(uri, 2, {"range": span(6, 41, 6, 41), "text": "title"})
        place = {**place, "position": {"line": 2, "character": 6}}
        assert (await editor.result("textDocument/prepareRename", place)) == {"range": span(2, 4, 2, 9), "placeholder": "title"}
        edits = (await editor.result("textDocument/rename", {**place, "newName": "name"}))["changes"][uri]
        assert [one["range"] for one in edits] == [span(2, 4, 2, 9), span(6, 41, 6, 46)]
        refused = await editor.ask("textDocument/rename", {**place, "newName": "id"})
        assert refused["error"] == {"code": -32803, "message": "that would be an error: duplicate declaration 'id'"}


async def test_what_is_shown_beside_the_text_is_answered(editor: Editor, tmp_path: Path) -> None:
    text = GOOD + "function f(a: Book) -> string {\n    let b = upper(a.title)\n    return b\n}\n"
    uri = editor.open(tmp_path / "app.cai", text)
    document = {"textDocument": {"uri": uri}}
    legend = editor.server["capabilities"]["semanticTokensProvider"]["legend"]
    data = (await editor.result("textDocument/semanticTokens/full", document))["data"]
    assert (data[:3], legend["tokenTypes"][data[3]]) == ([0, 7, 4], "class")
    part = (await editor.result("textDocument/semanticTokens/range", {**document, "range": span(8, 0, 9, 0)}))["data"]
    assert part[:3] == [8, 11, 1]
    (hint,) = await editor.result("textDocument/inlayHint", {**document, "range": span(0, 0, 99, 0)})
    assert (hint["position"], hint["label"]) == ({"line": 7, "character": 9}, ": string(255)") or hint["label"].startswith(": ")
    help_ = await editor.result("textDocument/signatureHelp", {**document, "position": {"line": 7, "character": 18}})
    assert help_["signatures"][0]["label"] == "upper(text)"


async def test_programs_of_a_workspace_do_not_mix(editor: Editor, write) -> None:
    one, other = write("a/app.cai", GOOD), write("b/app.cai", GOOD.replace("Book", "Film") + "type Cut { of: Book }\n")
    first, second = editor.open(one, one.read_text()), editor.open(other, other.read_text())
    await editor.findings(first, [])
    await editor.findings(second, ["CAI0201"])
    found = await editor.result("workspace/symbol", {"query": ""})
    assert {"Book", "Film"} <= {each["name"] for each in found}
    other.unlink()
    editor.close(second)
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": second, "type": 3}]})
    await editor.findings(second, [])
    assert "Film" not in {each["name"] for each in await editor.result("workspace/symbol", {"query": ""})}


async def test_the_last_of_many_changes_counts(editor: Editor, tmp_path: Path) -> None:
    text = GOOD + "".join(f"function f{n}(a: int) -> int {{ return a + {n} }}\n" for n in range(1500))
    uri = editor.open(tmp_path / "app.cai", text)
    for version in range(2, 30):
        editor.change(
            uri, version, {"range": span(2, 4, 2, 9), "text": "t" if version % 2 else "title"}, {"range": span(2, 4, 2, 5), "text": "t"}
        )
        if version % 7 == 0:
            editor.asking("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 5}})
    editor.change(uri, 30, {"text": GOOD.replace("string", "strin")})
    await editor.findings(uri, ["CAI0201"], 30)
