"""``codeai new``."""

from __future__ import annotations

from pathlib import Path

import click

from codeai.cli.main import fail

_PROGRAM = """// A small to-do list. Serve it with: codeai server {name}

config {{
    name: "{name}"
    version: "0.1.0"
}}

role member {{ permissions: ["tasks:write"] }}
role admin {{ permissions: ["*:*"] }}

auth main {{
    method: jwt
    secret: secret(JWT_SECRET)
}}

/// Something to do
entity Task {{
    id: uuid, primary, auto
    title: string(200), required, min_length(1), searchable
    done: bool, default(false)
    due: date
    created_at: timestamp, auto

    index: [created_at desc]

    allow read: public
    allow create, update, delete: user.has_permission("tasks:write")
}}

resource Task at /tasks {{
    auth: public
    list {{ filter_by: [done, due]  sort_by: [created_at, due] }}
    create, update, delete {{ auth: required }}
}}

test "anybody reads, members write" {{
    let denied = POST /tasks {{ title: "Water the plants" }}
    expect denied.status == 401
    as user {{ id: "ada", roles: [member] }}
    let made = POST /tasks {{ title: "Water the plants" }}
    expect made.status == 201
    let listed = GET /tasks
    expect listed.body.data.length == 1
}}
"""
_README = """# {name}

    codeai test {name}             # runs the test blocks
    codeai server {name} --watch   # serves http://127.0.0.1:8080, the documentation is at /docs
    codeai token {name} --role admin
"""


@click.command("new", help="Create a folder NAME with a small program that runs at once.")
@click.argument("name")
def command(name: str) -> None:
    """Creates a program."""
    folder = Path(name)
    if not folder.name.replace("-", "").replace("_", "").isalnum():
        fail(f"'{name}' is no name for a program: use letters, digits, - and _", 2)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        fail(f"'{name}' exists already", 2)
    except OSError as error:
        fail(f"cannot create '{name}': {error.strerror or error}; go to a folder that may be written", 2)
    (folder / "app.cai").write_text(_PROGRAM.format(name=folder.name), encoding="utf-8")
    (folder / "README.md").write_text(_README.format(name=folder.name), encoding="utf-8")
    (folder / ".gitignore").write_text(".codeai/\n", encoding="utf-8")
    click.echo(f"created {name}; next: codeai server {name} --watch")
