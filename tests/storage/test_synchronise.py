"""Tables made from programs: empty, equal, extended and differing databases, the same on both kinds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codeai.language.rendering.text import concise
from codeai.server.database import synchronise, synchronise_here
from codeai.server.loading import load_program
from codeai.storage import errors
from codeai.storage.errors import DatabaseUnavailable, SchemaMismatch
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings, from_url

BASE = """
entity Author { id: uuid, primary, auto  name: string(40), required, searchable  books: many(Book.author) }
entity Book {
    id: uuid, primary, auto
    title: string(80), required
    price: decimal(10,2), required, min(0)
    kind: enum(paper, file), default("paper")
    author: ref(Author), required, on_delete(cascade)
    NEW_FIELD
    index: [price desc, title]
    index: [title] unique
    check: price < MOST
}
"""


class Place:
    """An empty database and the programs that meet it."""

    def __init__(self, settings: DatabaseSettings, folder: Path) -> None:
        self.settings = settings
        self._file = folder / "app.cai"

    def program(self, field: str = "", most: int = 1000, text: str = BASE):
        self._file.write_text(text.replace("NEW_FIELD", field).replace("MOST", str(most)))
        found = load_program(self._file)
        assert found.valid, "\n".join(concise(finding, found.sources) for finding in found.diagnostics)
        return found.application

    def bring(self, field: str = "", most: int = 1000, *, development: bool = True, reset: bool = False, text: str = BASE):
        return synchronise_here(self.settings, self.program(field, most, text), development, reset)

    async def sql(self, statement: str):
        database = open_database(self.settings)
        await database.start()
        try:
            async with database.transaction() as session:
                return await session.fetch(statement, ())
        finally:
            await database.close()


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(from_url(database_url), tmp_path)


def test_an_empty_database_gets_all_tables_and_an_equal_one_nothing(place):
    assert place.bring() == ("created", ())
    assert place.bring() == ("unchanged", ())
    assert place.bring(development=False) == ("unchanged", ())


def test_the_comparison_finds_nothing_where_nothing_differs(place):
    """The fingerprint aside: the database as it is equals the program as it is."""
    place.bring()
    asyncio.run(place.sql("UPDATE codeai_schema SET fingerprint = 'another' RETURNING id"))
    assert place.bring() == ("unchanged", ())


ADDITIONS = [
    ("pages: int", "column 'books.pages' is missing"),
    ("seller: ref(Author)", "column 'books.seller' is missing"),
    ("index: [kind]", "index 'books_kind_idx' is missing"),
    ("size: enum(a, b)", "column 'books.size' is missing"),
    ("stars: int, min(1), max(5)", "column 'books.stars' is missing"),
    ("blurb: text, searchable", "the search index of 'books' is another"),
]


@pytest.mark.parametrize(("field", "difference"), ADDITIONS)
def test_what_only_adds_is_added_in_development(place, field, difference):
    place.bring()
    with pytest.raises(SchemaMismatch) as found:
        place.bring(field, development=False)
    assert difference in found.value.differences
    outcome, changes = place.bring(field)
    assert outcome == "changed" and difference in changes
    assert place.bring(field) == ("unchanged", ())


@pytest.mark.parametrize("field", [field for field, _ in ADDITIONS if "searchable" not in field])
def test_a_server_of_the_version_before_starts_beside_what_a_newer_one_has_added(place, field):
    place.bring()
    place.bring(field)
    outcome, changes = place.bring(development=False)
    assert (outcome, changes) == ("unchanged", ())
    assert place.bring(field, development=False) == ("unchanged", ())
    if field.startswith("index"):
        assert place.bring() == ("changed", ("index 'books_kind_idx' is not in the program",))
        return
    with pytest.raises(SchemaMismatch):
        place.bring()  # in development one version is written, and what is gone from it is said


async def test_an_index_that_the_program_no_longer_has_goes_in_development(place):
    text = BASE.replace("index: [price desc, title]\n    index: [title] unique", "")
    await asyncio.to_thread(place.bring)
    outcome, changes = await asyncio.to_thread(place.bring, text=text)
    assert (outcome, sorted(changes)) == (
        "changed",
        ["index 'books_price_title_idx' is not in the program", "index 'books_title_key' is not in the program"],
    )
    assert await asyncio.to_thread(place.bring, text=text) == ("unchanged", ())
    assert (await asyncio.to_thread(place.bring))[0] == "changed"


async def test_an_index_that_somebody_else_has_made_stays_and_is_said(place):
    await asyncio.to_thread(place.bring)
    await place.sql("CREATE INDEX by_hand ON books (kind)")
    await place.sql("UPDATE codeai_schema SET fingerprint = 'another' RETURNING 1")
    with pytest.raises(SchemaMismatch) as found:
        await asyncio.to_thread(place.bring)
    assert found.value.differences == ("index 'by_hand' is not in the program",)


def test_a_column_that_must_be_given_stops_the_version_that_does_not_know_it(place):
    place.bring("pages: int, required")
    with pytest.raises(SchemaMismatch) as found:
        place.bring(development=False)
    assert found.value.differences == ("column 'books.pages' is not in the program",)


async def test_search_finds_rows_from_before_the_field_was_searchable(place):
    await asyncio.to_thread(place.bring)
    await place.sql("INSERT INTO authors (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Lem') RETURNING id")
    more = BASE.replace("name: string(40), required, searchable", "name: string(40), required, searchable  about: text, searchable")
    outcome, changes = await asyncio.to_thread(place.bring, text=more)
    assert outcome == "changed" and "the search index of 'authors' is another" in changes
    if place.settings.dialect == "sqlite":
        assert len(await place.sql("SELECT rowid FROM codeai_search_authors WHERE codeai_search_authors MATCH 'lem'")) == 1
    assert await asyncio.to_thread(place.bring, text=more) == ("unchanged", ())


async def test_a_column_that_is_added_brings_its_rules(place):
    await asyncio.to_thread(place.bring)
    await asyncio.to_thread(place.bring, "seller: ref(Author)  stars: int, min(1)")
    await place.sql("INSERT INTO authors (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'A') RETURNING id")
    insert = (
        "INSERT INTO books (id, title, price, kind, author, seller, stars) VALUES ('00000000-0000-0000-0000-000000000002', 'T', 5, "
        "'paper', '00000000-0000-0000-0000-000000000001', {}, {}) RETURNING id"
    )
    for seller, stars in (("'00000000-0000-0000-0000-000000000009'", "1"), ("NULL", "0")):
        with pytest.raises(errors.ConstraintViolation):
            await place.sql(insert.format(seller, stars))
    await place.sql(insert.format("'00000000-0000-0000-0000-000000000001'", "NULL"))


def test_a_new_entity_is_added_in_development(place):
    place.bring()
    more = BASE + "entity Shop { id: uuid, primary, auto  name: string, searchable  best: ref(Book) }"
    outcome, changes = place.bring(text=more)
    assert (outcome, "table 'shops' is missing" in changes) == ("changed", True)
    assert place.bring(text=more) == ("unchanged", ())


RULES = [  # of a table that has a row: what is asked of rows changes, and the row is in the way of none of it
    ("min(0)", "min(1)", "check 'books_price_bounds_"),
    ("enum(paper, file)", "enum(paper, file, sound)", "check 'books_kind_enum_"),
    ("enum(paper, file)", "enum(paper)", "check 'books_kind_enum_"),
    ("    check: price < MOST\n", "", "check 'books_check"),
    ("title: string(80), required", "title: string(80)", "column 'books.title' is not null"),
    ("title: string(80)", "title: string(120)", ("column 'books.title' has type", "check 'books_title_length_")),
    ("title: string(80)", "title: string(8)", ("column 'books.title' has type", "check 'books_title_length_")),
]
ROW = "'00000000-0000-0000-0000-00000000000{}'"
FILL = (
    f"INSERT INTO authors (id, name) VALUES ({ROW.format(1)}, 'Lem') RETURNING id",
    f"INSERT INTO books (id, title, price, kind, author) VALUES ({ROW.format(2)}, 'Solaris', 500, 'paper', {ROW.format(1)}) RETURNING id",
)


@pytest.mark.parametrize(("old", "new", "difference"), RULES, ids=[f"{old.strip()} to {new}" for old, new, _ in RULES])
async def test_rules_of_tables_follow_the_program_in_development_and_no_row_goes(place, old, new, difference):
    await asyncio.to_thread(place.bring)
    for statement in FILL:
        await place.sql(statement)
    text = BASE.replace("string(40), required, searchable", "string(40), required, searchable  motto: text, searchable").replace(old, new)
    with pytest.raises(SchemaMismatch) as found:
        await asyncio.to_thread(place.bring, text=text, development=False)
    assert any(line.startswith(difference) for line in found.value.differences), found.value.differences
    assert (await asyncio.to_thread(place.bring, text=text))[0] == "changed"
    assert await asyncio.to_thread(place.bring, text=text) == ("unchanged", ())
    await place.sql("UPDATE codeai_schema SET fingerprint = 'another' RETURNING id")
    assert await asyncio.to_thread(place.bring, text=text) == ("unchanged", ())  # compared as a whole, too
    [(title, name)] = await place.sql("SELECT title, name FROM books JOIN authors ON authors.id = books.author")
    assert (title, name) == ("Solaris", "Lem")
    await place.sql("DELETE FROM authors RETURNING id")  # references hold as before
    assert await place.sql("SELECT id FROM books") == []


async def test_a_column_that_is_renamed_keeps_its_values_and_rules(place):
    before = BASE.replace("    NEW_FIELD", "    code: string(20), unique, min_length(2)\n    seller: ref(Author)\n    index: [code, price]")
    after = before.replace("    code: string(20)", "    isbn: string(20), rename_from(code)").replace("[code, price]", "[isbn, price]")
    after = after.replace("    seller: ref(Author)", "    shop: ref(Author), rename_from(seller)")
    await asyncio.to_thread(place.bring, text=before)
    for statement in (*FILL, f"UPDATE books SET code = 'x1', seller = {ROW.format(1)} RETURNING id"):
        await place.sql(statement)
    with pytest.raises(SchemaMismatch) as found:
        await asyncio.to_thread(place.bring, text=after, development=False)
    assert "column 'books.code' is called 'isbn' now" in found.value.differences
    outcome, changes = await asyncio.to_thread(place.bring, text=after)
    assert outcome == "changed" and "column 'books.seller' is called 'shop' now" in changes
    assert await place.sql("SELECT isbn FROM books WHERE shop = author") == [("x1",)]
    await place.sql("UPDATE codeai_schema SET fingerprint = 'another' RETURNING id")
    assert await asyncio.to_thread(place.bring, text=after, development=False) == ("unchanged", ())
    with pytest.raises(errors.CheckViolation):
        await place.sql("UPDATE books SET isbn = 'x' RETURNING id")
    with pytest.raises(errors.ForeignKeyViolation):
        await place.sql(f"UPDATE books SET shop = {ROW.format(7)} RETURNING id")
    with pytest.raises(errors.UniqueViolation):
        values = f"SELECT {ROW.format(3)}, 'B', 1, 'file', id, 'x1' FROM authors RETURNING id"
        await place.sql(f"INSERT INTO books (id, title, price, kind, author, isbn) {values}")


async def test_a_table_that_is_made_anew_keeps_its_search_and_what_others_hung_on_it(place):
    if place.settings.dialect == "postgresql":
        pytest.skip("there a rule is changed in its place")
    searched = BASE.replace("title: string(80), required", "title: string(80), required, searchable")
    await asyncio.to_thread(place.bring, text=searched)
    for statement in (
        *FILL,
        "CREATE TABLE noted (title text)",
        "CREATE TRIGGER note AFTER UPDATE ON books BEGIN INSERT INTO noted VALUES (new.title); END",
        "CREATE VIEW titles AS SELECT title FROM books",
        "DELETE FROM noted",
    ):
        await place.sql(statement)
    assert (await asyncio.to_thread(place.bring, text=searched.replace("min(0)", "min(1)")))[0] == "changed"
    await place.sql("UPDATE books SET title = 'Fiasco' RETURNING id")
    assert await place.sql("SELECT title FROM noted") == [("Fiasco",)]
    assert await place.sql("SELECT title FROM titles") == [("Fiasco",)]
    found = "SELECT rowid FROM codeai_search_books WHERE codeai_search_books MATCH '{}'"
    matching = f"SELECT title FROM books WHERE rowid IN ({found})"
    assert await place.sql(matching.format("fiasco")) == [("Fiasco",)]
    assert await place.sql(matching.format("solaris")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("price < MOST", "price < 3", r"check 'books_check.*, and 1 row of it would break it"),
        (
            'enum(paper, file), default("paper")',
            'enum(file), default("file")',
            r"check 'books_kind_enum_.*, and 1 row of it would break it",
        ),
        ("title: string(80)", "title: string(3)", r"'books.title|books_title_length.*, and 1 row of it would break it"),
    ],
)
async def test_what_a_row_would_break_stops_the_start_and_changes_nothing(place, old, new, said):
    await asyncio.to_thread(place.bring)
    for statement in FILL:
        await place.sql(statement)
    with pytest.raises(SchemaMismatch, match=said):
        await asyncio.to_thread(place.bring, text=BASE.replace(old, new).replace("    NEW_FIELD", "    pages: int"))
    assert await asyncio.to_thread(place.bring) == ("unchanged", ())
    assert len(await place.sql("SELECT id FROM books")) == 1


async def test_a_unique_index_that_rows_would_break_stops_the_start(place):
    await asyncio.to_thread(place.bring)
    author = "INSERT INTO authors (id, name) VALUES ('00000000-0000-0000-0000-00000000000{}', 'Lem') RETURNING id"
    for number in (1, 2):
        await place.sql(author.format(number))
    text = BASE.replace("books: many(Book.author)", "books: many(Book.author)  index: [name] unique")
    with pytest.raises(SchemaMismatch, match=r"index 'authors_name_.*' is missing, and rows with the same values would break it"):
        await asyncio.to_thread(place.bring, text=text)


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("title: string(80), required", "title: int, required", "column 'books.title' has type"),
        ("    NEW_FIELD", "    pages: int, required", "column 'books.pages' is missing"),
        ('    kind: enum(paper, file), default("paper")\n', "", "column 'books.kind' is not in the program"),
    ],
)
def test_anything_else_stops_the_start_with_the_difference(place, old, new, difference):
    place.bring()
    for development in (True, False):
        with pytest.raises(SchemaMismatch) as found:
            place.bring(text=BASE.replace(old, new), development=development)
        assert any(line.startswith(difference) for line in found.value.differences), found.value.differences
    assert place.bring() == ("unchanged", ())
    assert place.bring(text=BASE.replace(old, new), reset=True) == ("created", ())


async def test_rules_of_the_tables_hold_for_everybody(place):
    place_ = "'00000000-0000-0000-0000-00000000000{}'"
    await asyncio.to_thread(place.bring)
    await place.sql(f"INSERT INTO authors (id, name) VALUES ({place_.format(1)}, 'A') RETURNING id")
    insert = "INSERT INTO books (id, title, price, kind, author) VALUES ({}) RETURNING id"
    good = f"'T', 5, 'paper', {place_.format(1)}"
    await place.sql(insert.format(f"{place_.format(2)}, {good}"))
    for values, error in (
        (f"{place_.format(3)}, {good}", errors.UniqueViolation),
        (f"{place_.format(2)}, {good.replace('T', 'U')}", errors.UniqueViolation),
        (f"{place_.format(3)}, 'U', -1, 'paper', {place_.format(1)}", errors.CheckViolation),
        (f"{place_.format(3)}, 'U', 5000000, 'paper', {place_.format(1)}", errors.CheckViolation),
        (f"{place_.format(3)}, 'U', 5, 'stone', {place_.format(1)}", errors.CheckViolation),
        (f"{place_.format(3)}, 'U', NULL, 'paper', {place_.format(1)}", errors.NotNullViolation),
        (f"{place_.format(3)}, 'U', 5, 'paper', {place_.format(9)}", errors.ForeignKeyViolation),
    ):
        with pytest.raises(error):
            await place.sql(insert.format(values))
    await place.sql("DELETE FROM authors RETURNING id")
    assert await place.sql("SELECT id FROM books") == []


OLDER = (  # what a version before had, and lacked
    "CREATE INDEX codeai_activations_due_idx ON codeai_activations (ready_ms) WHERE state <> 0",
    "DROP INDEX codeai_activations_timed_idx",
    "DROP INDEX codeai_steps_items_idx",
    "ALTER TABLE codeai_steps DROP COLUMN settled",
    "DROP TABLE codeai_wirings",
    "DELETE FROM codeai_schema",
)


@pytest.mark.parametrize("development", [True, False])
def test_the_tables_of_a_version_before_grow_with_the_runtime(place, development):
    place.bring()
    for statement in OLDER:
        asyncio.run(place.sql(statement))
    outcome, changes = place.bring(development=development)
    assert outcome == "changed"
    assert {"index 'codeai_activations_due_idx' is not in the program", "column 'codeai_steps.settled' is missing"} <= set(changes)
    asyncio.run(place.sql("DELETE FROM codeai_schema"))
    assert place.bring(development=development) == ("unchanged", ())


@pytest.mark.parametrize("development", [True, False])
def test_what_a_newer_version_has_added_to_tables_of_ours_is_left_to_it(place, development):
    place.bring()
    asyncio.run(place.sql("ALTER TABLE codeai_steps ADD COLUMN later text"))
    asyncio.run(place.sql("CREATE INDEX codeai_steps_later_idx ON codeai_steps (later)"))
    asyncio.run(place.sql("DELETE FROM codeai_schema"))
    assert place.bring(development=development) == ("unchanged", ())
    asyncio.run(place.sql("SELECT later FROM codeai_steps"))


async def test_tables_of_others_are_left_alone(place):
    await place.sql("CREATE TABLE theirs (id int)") if place.settings.dialect == "postgresql" else None
    if place.settings.dialect == "sqlite":
        place.settings.path.parent.mkdir(parents=True, exist_ok=True)
        await place.sql("CREATE TABLE theirs (id int)")
    assert (await asyncio.to_thread(place.bring))[0] == "created"
    assert (await asyncio.to_thread(place.bring, reset=True))[0] == "created"
    assert await place.sql("SELECT id FROM theirs") == []


def test_several_servers_that_start_at_once_make_one_set_of_tables(place):
    application = place.program()
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: synchronise_here(place.settings, application, True)[0], range(4)))
    assert sorted(outcomes) == ["created", "unchanged", "unchanged", "unchanged"]


def test_the_comparison_of_a_start_needs_no_schema_library(place):
    place.bring()
    assert synchronise(place.settings, place.program(), development=False) == ("unchanged", ())


Broken = Callable[[Path], str]


@pytest.mark.parametrize(
    "address",
    [
        lambda folder: "postgresql://nobody@127.0.0.1:1/none",
        lambda folder: "postgresql://nobody@[::1]:1/none",
        lambda folder: f"sqlite:///{folder}/text.db",
        lambda folder: f"sqlite:///{folder}/text.db/inside.db",
    ],
)
def test_a_database_that_cannot_be_had_is_said_in_one_line(tmp_path, address: Broken):
    (tmp_path / "text.db").write_text("this is no database " * 100)
    settings = from_url(address(tmp_path))
    (tmp_path / "app.cai").write_text("entity A { id: uuid, primary, auto }")
    application = load_program(tmp_path / "app.cai").application
    with pytest.raises(DatabaseUnavailable) as found:
        synchronise(settings, application, development=True)
    assert "\n" not in str(found.value) and settings.shown in str(found.value)


def test_a_reference_that_was_added_stays_the_same_when_more_is_added(place):
    place.bring()
    place.bring("seller: ref(Author)")
    outcome, changes = place.bring("seller: ref(Author)  pages: int")
    assert (outcome, changes) == ("changed", ("column 'books.pages' is missing",))
