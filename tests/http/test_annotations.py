"""What annotations and clauses of an endpoint become: in the document, and in its answers."""

PROGRAM = """
@summary("Says it") @tag("words") @deprecated @version("2")
endpoint GET /said { auth: public  returns: json  do { return { a: 1 } } }

@internal
endpoint GET /hidden { auth: public  returns: json  do { return { a: 2 } } }

endpoint GET /none { auth: public  returns: { a: int }?  do { return null } }
endpoint POST /void { auth: public  returns: void  do { return } }
endpoint GET /away { auth: public  do { redirect "/said?x=ü y" } }
endpoint POST /headers {
    auth: public
    body { text: string }
    returns: json
    do { return { a: 1 } status 202 headers { X-Text: body.text ?? "" } }
}

entity Row { id: uuid, primary, auto  name: string, required, unique  owner: uuid, required  allow read, create: user.id == owner }
resource Row at /rows { auth: public  actions: [list] }
endpoint POST /anyway { auth: public  body { name: string, required }  returns: json  do {
    let made = create Row { name: body.name, owner: "00000000-0000-0000-0000-000000000001" } as system
    let all = select Row where name is not null as system
    return { seen: count(Row), all: all.length, name: made.name }
} }
"""


def test_the_document_shows_annotations_and_hides_what_is_internal(sqlite_service_of):
    service = sqlite_service_of(PROGRAM)
    paths = service.request("GET", "/openapi.json").json["paths"]
    said = paths["/said"]["get"]
    assert (said["summary"], said["tags"], said["deprecated"], said["x-version"]) == ("Says it", ["words"], True, "2")
    assert "/hidden" not in paths
    assert service.request("GET", "/hidden").json == {"a": 2}


def test_nothing_void_and_elsewhere(sqlite_service_of):
    service = sqlite_service_of(PROGRAM)
    nothing = service.request("GET", "/none")
    assert (nothing.status, nothing.json) == (200, None)
    void = service.request("POST", "/void")
    assert (void.status, void.body, void.header("content-length")) == (204, b"", None)
    away = service.request("GET", "/away")
    assert (away.status, away.header("location")) == (303, "/said?x=%C3%BC%20y")


def test_headers_of_the_program_cannot_split_the_answer(sqlite_service_of):
    service = sqlite_service_of(PROGRAM)
    fine = service.request("POST", "/headers", {"text": "plain"})
    assert (fine.status, fine.header("x-text")) == (202, "plain")
    for text in ("a\r\nSet-Cookie: x=1", "a\nb", "a\x00b"):
        answer = service.request("POST", "/headers", {"text": text})
        assert answer.status in (422, 500)
        assert answer.header("set-cookie") is None and answer.header("x-text") is None


def test_as_system_passes_policies_and_nothing_else_does(service_of):
    service = service_of(PROGRAM)
    answer = service.request("POST", "/anyway", {"name": "kept"})
    assert (answer.status, answer.json) == (200, {"seen": 0, "all": 1, "name": "kept"})
    assert service.request("GET", "/rows?total=exact").json["pagination"]["total"] == 0
    again = service.request("POST", "/anyway", {"name": "kept"})
    assert (again.status, again.code) == (409, "not_unique")
    assert service.request("GET", "/rows?q=as%20system").status == 422
