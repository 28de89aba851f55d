"""``codeai policy explain`` says which rule decided, for callers alone and for rows."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codeai.cli.main import cli

PROGRAM = """config { name: "p"  default_auth: public }
auth jwt { secret: "0123456789abcdef0123456789abcdef" }
role admin { permissions: ["posts:*"] }
entity Team { id: int, primary  name: string  lead: string }
entity Post {
    id: int, primary
    owner: string
    team: ref(Team)
    published: bool, default(false)
    rating: int
    cost: decimal(10,2)
    gone_at: timestamp, soft_delete
    allow read: published or user.id == owner
    allow read: user.has_role(admin)
    allow update: user.id == owner or user.id == team.lead
    allow create: user.id == owner
    hide rating unless user.has_permission("posts:rate")
    hide cost unless user.id == owner
}
entity Note { id: int, primary  org: string, required  text: string  traits: [tenant(org)]  index: [org] }
entity Paper { id: int, primary  org: string, required  allow read: public  traits: [tenant(org)]  index: [org] }
entity Open { id: int, primary }
seed {
    create Team { id: 1, name: "one", lead: "lea" }
    create Post { id: 1, owner: "ada", team: 1, published: true, cost: 3.50 }
    create Post { id: 2, owner: "ada", team: 1 }
    let gone = create Post { id: 3, owner: "ada", published: true }
    delete gone
    create Note { id: 1, org: "acme" }
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("policy") / "app.cai"
    file.write_text(PROGRAM)
    done = CliRunner().invoke(cli, ["db", "seed", str(file)])
    assert done.exit_code == 0, done.output
    return file


def run(program: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", "explain", *arguments, "--program", str(program)])


ANSWERS = {
    # question: verdict, status, what each rule says, the sentence
    "Post read": ("depends on the row", None, [None, False, True, None], "'allow read: published or user.id == owner' decides"),
    "Post read --role admin": ("allowed", None, [None, True, False, None], "'allow read: user.has_role(admin)' lets the caller"),
    "Post read --key 1": ("allowed", None, [True, False, True, True], "'allow read: published or user.id == owner' lets the caller"),
    "Post read --key 2": ("denied", 404, [False, False, True, True], "no 'allow' line for 'read' applies"),
    "Post read --key 2 --user ada": ("allowed", None, [True, False, True, False], "lets the caller"),
    "Post read --key 1 --permission posts:rate": ("allowed", None, [True, False, False, True], "lets the caller"),
    "Post read --key 3 --user ada": ("denied", 404, [True, False, True, False], "the row is deleted"),
    "Post update": ("depends on the row", None, [None], "ask again with --key or --row"),
    "Post update --key 1 --user bob": ("denied", 403, [False], "no 'allow' line for 'update' applies"),
    "Post update --key 2 --user lea": ("denied", 404, [True], "whoever changes a row must be able to read it"),
    "Post update --key 1 --user lea": ("allowed", None, [True], "lets the caller"),
    "Post delete --role admin": ("denied", 403, [], "none of them is for 'delete'"),
    'Post create --user ada --row {"owner":"ada"}': ("allowed", None, [True], "lets the caller"),
    'Post create --user ada --row {"owner":"bob"}': ("denied", 403, [False], "no 'allow' line for 'create' applies"),
    'Post read --row {"published":true,"owner":"ada"}': ("allowed", None, [True, False, True, True], "lets the caller"),
    'Post read --row {"owner":"ada"}': ("denied", 404, [False, False, True, True], "no 'allow' line"),
    'Post update --row {"team":1,"owner":"x","published":true} --user lea': ("allowed", None, [True], "lets the caller"),
    "Note read --key 1 --tenant acme": ("allowed", None, [True], "has no 'allow' line, so the guard of the endpoint alone decides, within"),
    "Note read --key 1 --tenant other": ("denied", 404, [False], "'tenant(org)': the row belongs to another tenant"),
    "Note read --key 1": ("denied", 404, [False], "belongs to another tenant"),
    "Paper read": ("depends on the row", None, [None, True], "'tenant(org)' decides"),
    "Paper delete --tenant acme": ("denied", None, [None], "none of them is for 'delete'"),
    "Open delete": ("allowed", None, [], "'Open' has no 'allow' line, so the guard of the endpoint alone decides"),
}


@pytest.mark.parametrize("question", ANSWERS)
def test_the_rule_that_decides_is_said(program: Path, question: str) -> None:
    done = run(program, *question.split(" "), "--output", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    verdict, status, applies, because = ANSWERS[question]
    assert (found["verdict"], found["status"], [rule["applies"] for rule in found["rules"]]) == (verdict, status, applies), found
    assert because in found["because"]


def test_people_read_the_rules_in_the_order_of_the_program_with_their_places(program: Path) -> None:
    done = run(program, "Post", "read", "--key", "1")
    assert done.stdout.splitlines() == [
        f"applies         allow read: published or user.id == owner             {program}:13:5",
        f"does not apply  allow read: user.has_role(admin)                      {program}:14:5",
        f'hidden          hide rating unless user.has_permission("posts:rate")  {program}:17:5',
        f"hidden          hide cost unless user.id == owner                     {program}:18:5",
        "allowed: 'allow read: published or user.id == owner' lets the caller",
    ]


MISTAKES = {
    "Pots read": (2, "no entity 'Pots', did you mean 'Post'?"),
    "Post look": (2, "'look' is not one of"),
    "Post read --key 1 --row {}": (2, "either --key or --row"),
    "Post create --key 1": (2, "give it with --row"),
    "Post read --key one": (2, "--key: id must be"),
    "Post read --key 99": (1, "no row of 'Post' has the key '99'"),
    "Post read --row []": (2, "--row must be a JSON object"),
    'Post read --row {"owner":1,"nonsense":2}': (2, "--row: "),
}


@pytest.mark.parametrize("question", MISTAKES)
def test_mistakes(program: Path, question: str) -> None:
    done = run(program, *question.split(" "))
    code, text = MISTAKES[question]
    assert (done.exit_code, text in done.stderr) == (code, True), done.output


def test_an_invalid_program_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text("entity {")
    assert run(tmp_path, "Post", "read").exit_code == 1
