"""Functions take and give null whatever their types say, and nothing crashes: evaluation is total."""

import re
from pathlib import Path

from click.testing import CliRunner

from codeai.cli.test import command

# What an endpoint answers when it is asked for nothing, and no book is there.
CASES = {
    "title_of(first Book where title == 'none')": "null",
    "pages_of(first Book where title == 'none')": "null",
    "many(first Book where title == 'none')": "false",
    "label_of(first Book where title == 'none')": "null",
    "pages_found() > 3": "false",
    "not (pages_found() > 3)": "true",
    "book_found().title": "null",
    "next(query.n) >= 1": "false",
    "[pages_found(), 1].map(n => n > 0)": "[false, true]",
    "[1].map(n => next(query.n)).filter(n => n < 3)": "[]",
    "doubled(query.list)": "0",
}
PROGRAM = """
config {{ default_auth: public }}
entity Book {{ id: uuid, primary, auto  title: string, required  pages: int, required  label: string = "<{{title}}>" }}
function title_of(book: Book) -> string {{ return book.title }}
function pages_of(book: Book) -> int {{ return book.pages + 1 }}
function many(book: Book) -> bool {{ let pages = book.pages  return pages > 100 }}
function label_of(book: Book) -> string {{ return book.label }}
function pages_found() -> int {{ let book = first Book where title == "none"  return book.pages }}
function book_found() -> Book {{ return first Book where title == "none" }}
function next(n: int) -> int {{ return n + 1 }}
function doubled(list: list(int)) -> int {{
    var last = 0
    for n in list {{ if last < n {{ last = n * 2 }} }}
    return last
}}
{endpoints}
endpoint GET /turns {{ do {{
    var last = 5
    var small = 0
    for n in [1, 2, 3] {{
        if last < 3 {{ small = small + 1 }}
        last = pages_found()
    }}
    return small
}} }}
endpoint POST /mail {{ query {{ to: string }}  returns: void  do {{ send email(query.to) {{ subject: "x", text: "y" }} }} }}
test "nothing is given" {{
{asked}
    let turns = GET /turns
    expect turns.body == 0
    let mail = POST /mail
    expect mail.status == 422
}}
"""


def test_null_goes_through_functions_without_a_crash(tmp_path: Path) -> None:
    endpoints, asked = [], []
    for at, (value, wanted) in enumerate(CASES.items()):
        value = re.sub("'", '"', value)
        endpoints.append(f"endpoint GET /case{at} {{ query {{ n: int  list: list(int) }}  returns: json  do {{ return {value} }} }}")
        asked += [f"    let answer{at} = GET /case{at}", f"    expect answer{at}.status == 200 and answer{at}.body == {wanted}"]
    (tmp_path / "app.cai").write_text(PROGRAM.format(endpoints="\n".join(endpoints), asked="\n".join(asked)))
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert done.exit_code == 0, done.output
