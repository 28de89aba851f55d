"""The document of a program beside what the program answers."""

import jsonschema
import pytest

PROGRAM = """
entity Author { id: uuid, primary, auto  name: string, required  boss: ref(Author)  books: many(Book.author) }
entity Book { id: uuid, primary, auto  title: string, required
    /// who wrote it
    author: ref(Author), required  seller_id: ref(Author)  notes: many(Note.book) }
entity Note { id: uuid, primary, auto  book: ref(Book), required  text: string
    allow read: user.has_role(reader)  allow create: public }
entity Plain { id: uuid, primary, auto  text: string }
role reader { }
auth main { method: jwt  secret: secret(JWT_SECRET) }
resource Author at /authors { auth: public }
resource Book at /books { auth: public }
resource Note at /notes { auth: public }
resource Plain at /plain { auth: public }
endpoint GET /books/{book}/notes { auth: public  path { book: uuid }  returns: list(Note) }
endpoint POST /books/{id}/copies { auth: public  path { id: uuid }  returns: json  do { return { id: path.id } } }
endpoint GET /books/{key}/copies { auth: public  path { key: uuid }  returns: json  do { return { id: path.key } } }
"""


@pytest.fixture(scope="module")
def service(request):
    return request.getfixturevalue("sqlite_service_of")(PROGRAM)


@pytest.fixture(scope="module")
def document(service):
    return service.request("GET", "/openapi.json").json


@pytest.fixture(scope="module")
def rows(service):
    def made(path, **fields):
        answer = service.request("POST", path, fields)
        assert answer.status == 201, answer.body
        return answer.json["id"]

    author = made("/authors", name="Ada")
    book = made("/books", title="Notes", author=author)
    return {"author": author, "book": book, "note": made("/notes", book=book, text="n")}


def checked(document, name, value):
    jsonschema.Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"}).validate(value)


@pytest.mark.parametrize(
    "expand", ["", "author", "author.boss", "seller", "notes", "author.books", "notes.book.author", "author,seller,notes"]
)
def test_rows_with_relations_are_as_the_document_says(service, document, rows, expand):
    more = f"?expand={expand}" if expand else ""
    one = service.request("GET", f"/books/{rows['book']}{more}")
    page = service.request("GET", f"/books{more}")
    assert (one.status, page.status) == (200, 200)
    for row in (one.json, *page.json["data"]):
        checked(document, "Book", row)


def test_a_relation_that_is_no_row_and_no_key_breaks_the_schema(document, service, rows):
    row = service.request("GET", f"/books/{rows['book']}").json
    for name, wrong in (("author", 1), ("author", {"name": "no key"}), ("seller", "a"), ("notes", None), ("notes", [1])):
        with pytest.raises(jsonschema.ValidationError):
            checked(document, "Book", {**row, name: wrong})


def test_a_description_stays_beside_what_expand_does(document):
    author = document["components"]["schemas"]["Book"]["properties"]["author"]
    assert author["description"] == "who wrote it; the row with expand=author, else its key"


def test_paths_that_differ_in_names_alone_are_one(document, service, rows):
    copies = document["paths"]["/books/{id}/copies"]
    assert set(copies) == {"get", "post"} and "/books/{key}/copies" not in document["paths"]
    assert [each["name"] for each in copies["get"]["parameters"] if each["in"] == "path"] == ["id"]
    assert service.request("GET", f"/books/{rows['book']}/copies").json == {"id": rows["book"]}


def test_lists_without_relations_have_nothing_to_expand(document):
    names = {path: {each["name"] for each in document["paths"][path]["get"]["parameters"]} for path in ("/plain", "/books")}
    assert ("expand" in names["/plain"], "expand" in names["/books"]) == (False, True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_wants_a_row_as_it_was_is_told_that_it_is_another(document, service, rows, method):
    path = f"/authors/{rows['author']}"
    tag = service.request("GET", path).header("etag")
    for wanted, status in ((tag, 200), ("*", 200), (f'"x", {tag}', 200), ('"x"', 412), (f"W/{tag}", 412)):
        assert service.request(method, path, headers={"if-match": wanted}).status == status
    both = {"if-match": '"x"', "if-none-match": tag}
    assert service.request(method, path, headers=both).status == 412
    assert "412" in document["paths"]["/authors/{id}"]["get"]["responses"]
