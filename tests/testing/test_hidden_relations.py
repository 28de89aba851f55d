"""A reference that must be there may lead to a row that the caller is not shown: its members are null, and nothing crashes."""

from pathlib import Path

from click.testing import CliRunner

from codeai.cli.test import command

PROGRAM = """
auth main { method: jwt  secret: env(JWT_SECRET, "x") }
role staff { permissions: ["*:*"] }
entity Person {
    id: uuid, primary, auto
    name: string, required
    age: int, required
    active: bool, default(true)
    allow read: user.has_role(staff)
    label: string = "<{name}>"
}
entity Shelf { id: uuid, primary, auto  title: string, required  gone_at: timestamp, soft_delete }
entity Post { id: uuid, primary, auto  author: ref(Person), required  shelf: ref(Shelf), required  title: string, required }
endpoint GET /posts/{id} {
    path { id: uuid }
    returns: json
    do {
        let post = get Post(path.id)
        let author = post.author.name
        return {
            author: author
            label: post.author.label
            loud: upper(author)
            older: post.author.age + 1
            old: post.author.age > 40
            active: post.author.active ? "yes" : "no"
            shelf: post.shelf.title
            names: (select Post).map(p => p.author.name ?? "?")
        }
    }
}
test "who may not read the author" {
    let person = create Person { name: "Ada", age: 50 }
    let shelf = create Shelf { title: "A" }
    let post = create Post { author: person, shelf: shelf, title: "x" }
    as user { id: "u1" }
    let seen = GET /posts/{post.id}
    expect seen.status == 200
    expect seen.body.author == null and seen.body.label == null and seen.body.loud == null and seen.body.older == null
    expect seen.body.old == false
    expect seen.body.active == "no"
    expect seen.body.shelf == "A"
    expect seen.body.names == ["?"]
    delete shelf
    let later = GET /posts/{post.id}
    expect later.status == 200
    expect later.body.shelf == null
    as user { id: "u2", roles: [staff] }
    let whole = GET /posts/{post.id}
    expect whole.body.author == "Ada" and whole.body.label == "<Ada>" and whole.body.older == 51 and whole.body.active == "yes"
}
"""


def test_members_of_a_row_that_is_not_shown_are_null(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert done.exit_code == 0, done.output
