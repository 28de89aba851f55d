"""What endpoints say in a word: names of headers with hyphens, texts of 'validate', a path that knows better than the body."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
config { name: "x"  default_auth: public }
entity Author { id: uuid, primary, auto  name: string }
entity Post { id: uuid, primary, auto  slug: string, unique  n: int, default(0)  author: ref(Author)  comments: many(Comment.post) }
entity Comment { id: uuid, primary, auto  post: ref(Post), required  text: string }
endpoint POST /posts { returns: Post  body: Post.create
    validate { slug is unique else "choose another", author exists else "who is that?", n < 9 else "too many" }
}
endpoint PATCH /posts/{id} { returns: Post  body: Post.update  validate { slug is unique else "choose another" } }
endpoint PATCH /silent/{id} { returns: Post  body: Post.update  validate { slug is unique } }
endpoint POST /posts/{post}/comments { returns: Comment  body { post: uuid, required  text: string } }
endpoint POST /shaped/{post}/comments { returns: Comment  body: Comment.create }
endpoint GET /traced {
    header { X-Trace-Id: string, required }
    cookie { session-id: string }
    query { page-size: int }
    returns: json
    do { return [header.x_trace_id, header["X-Trace-Id"], cookie.session_id, query.page_size, query["page-size"]] }
}

test "a rule says its text" {
    let author = create Author { }
    let first = POST /posts { slug: "a", author: author.id }
    let again = POST /posts { slug: "a" }
    expect again.status == 409 and again.body.code == "not_unique"
    expect again.body.errors == [{ field: "slug", code: "not_unique", message: "choose another" }]
    let nobody = POST /posts { slug: "b", author: "0193e000-0000-7000-8000-000000000001" }
    expect nobody.status == 409 and nobody.body.errors[0].message == "who is that?"
    let much = POST /posts { n: 9 }
    expect much.status == 422 and much.body.errors[0].message == "too many"
    let other = POST /posts { slug: "b" }
    let changed = PATCH /posts/{other.body.id} { slug: "a" }
    expect changed.status == 409 and changed.body.errors[0].message == "choose another"
    let silent = PATCH /silent/{other.body.id} { slug: "a" }
    expect silent.body.errors[0].message == "is taken already"
}

test "the path wins over the body" {
    let one = create Post { slug: "a" }
    let two = create Post { slug: "b" }
    let said = POST /posts/{one.id}/comments { post: two.id, text: "x" }
    expect said.status == 201 and said.body.post == one.id
    let unsaid = POST /posts/{one.id}/comments { text: "x" }
    expect unsaid.status == 201
    let shaped = POST /shaped/{one.id}/comments { post: two.id }
    expect shaped.status == 201 and shaped.body.post == one.id
    let unknown = POST /posts/{one.id}/comments { text: "x", colour: "red" }
    expect unknown.status == 422
}

test "parts of a request have the names of the wire" {
    let r = GET /traced?page-size=4 headers { x-trace-id: "t", Cookie: "session-id=s" }
    expect r.body == ["t", "t", "s", 4, 4]
    let none = GET /traced
    expect none.status == 422
}
"""


def test_what_an_endpoint_says_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(PROGRAM)
    said = CliRunner().invoke(command, ["--database", database_url])
    assert said.output.endswith("3 passed, 0 failed\n"), said.output
