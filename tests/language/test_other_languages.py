"""What authors bring along from other languages is one finding, which says how it is written here."""

import pytest

from language.samples import errors, fixed

ENTITY = "entity Note {{\n    id: int, primary, auto\n    x: {}\n    y: string, required\n}}\n"
TYPES = [
    ("string[]", "list(string)"),
    ("[string]", "list(string)"),
    ("list<string>", "list(string)"),
    ("List<string>", "list(string)"),
    ("list[string]", "list(string)"),
    ("list string", "list(string)"),
    ("string[][]", "list(list(string))"),
    ("Map<string, list<int>>", "map(list(int))"),
    ("{ a: int[] }[]", "list({ a: list(int) })"),
    ("Optional[string]", "string?"),
    ("Optional<int[]>", "list(int)?"),
    ("string | null", "string?"),
    ('"new" | "sold out" | "old"', 'enum(new, "sold out", old)'),
    ("enum[a, b]", "enum(a, b)"),
    ('enum<"a", "b">', "enum(a, b)"),
    ("string[20]", "string(20)"),
    ("decimal[10, 2]", "decimal(10, 2)"),
    ("timestamp with time zone", "timestamp"),
    ("ref Note", "ref(Note)"),
    ("ref<Note>", "ref(Note)"),
]


@pytest.mark.parametrize(("written", "meant"), TYPES)
@pytest.mark.parametrize("behind", ["", ", read_only", " // as elsewhere"])
def test_a_type_of_another_language_is_one_error_and_mended(written: str, meant: str, behind: str) -> None:
    text = ENTITY.format(written + behind)
    assert errors(text)[0] == f"this type is written '{meant}' here"
    assert fixed(text) == ENTITY.format(meant + behind)
    assert len(errors(text)) == len(errors(fixed(text))) + 1


@pytest.mark.parametrize(
    "written",
    ["list<", "list<string", "list<<string>>", "[", "[string", "optional<>", "string [", 'enum<"a', "list<>", '"a" |', "ref", "map<,>"],
)
def test_half_a_type_of_another_language_is_an_error(written: str) -> None:
    assert errors(ENTITY.format(written))


def test_members_between_bars_are_mended() -> None:
    text = ENTITY.format("enum(a | b | c)")
    assert errors(text) == ["expected ',', got '|'", "expected ',', got '|'"]
    assert fixed(text) == ENTITY.format("enum(a, b, c)")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("optional(string)", "unknown type 'optional' (write the type with '?' behind it, as in string?)"),
        ("map(string, int)", "type 'map' takes 1 argument (keys are texts; say only what the values are, as in map(int))"),
        ("str", "unknown type 'str' (did you mean 'string'?)"),
        ("long", "unknown type 'long' (did you mean 'int'?)"),
        ("bytea", "unknown type 'bytea' (did you mean 'bytes'?)"),
        ("GUID", "unknown type 'GUID' (did you mean 'uuid'?)"),
        ("string, mandatory", "unknown modifier 'mandatory' (did you mean 'required'?)"),
        ('string, regex("a+")', "unknown modifier 'regex' (did you mean 'pattern'?)"),
    ],
)
def test_a_name_of_a_type_or_modifier_is_known_from_elsewhere(written: str, said: str) -> None:
    assert errors(ENTITY.format(written)) == [said]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("text.toUpperCase()", "undefined function 'toUpperCase' (did you mean 'upper'?)"),
        ("strlen(text)", "undefined function 'strlen' (did you mean 'length'?)"),
        ("items.size", "type 'array' has no member 'size' (did you mean 'length'?)"),
        ("text.strip", "type 'string' has no member 'strip' (did you mean 'trim()'?)"),
        ("items.push(3)", "undefined function 'push' (lists are added, as in 'items + [item]')"),
        ("str(3)", "undefined function 'str' (did you mean 'to_string'?)"),
        ("Math.max(1, 2)", "undefined variable 'Math' (functions have no namespace here, as in 'round(x)' or 'max(a, b)')"),
        ("JSON.stringify(items)", "undefined variable 'JSON' (write 'to_json(value)' or 'parse_json(text)')"),
        ("datetime.now()", "undefined variable 'datetime' (write 'now()', 'today()' or 'parse_date(text)')"),
        ("None", "undefined variable 'None' (what is not there is 'null')"),
        ("req.body", "undefined variable 'req' (a request brings 'path', 'query', 'header', 'cookie' and 'body')"),
        ("tex", "undefined variable 'tex' (did you mean 'text'?)"),
    ],
)
def test_a_function_or_value_is_known_from_elsewhere(written: str, said: str) -> None:
    body = f"{{ let text = query.text  let items = [1, 2]  return [text, items, {written}] }}"
    assert errors(f"endpoint GET /words {{ auth: public  query {{ text: string, required }}  do {body} }}\n") == [said]


def test_an_answer_behind_the_path_moves_inside() -> None:
    text = 'endpoint GET /words -> list<string> { auth: public  do { return ["a"] } }\n'
    assert errors(text) == ["expected '{', got '->' (write 'returns: list(string)' inside)"]
    assert fixed(text) == 'endpoint GET /words { returns: list(string)  auth: public  do { return ["a"] } }\n'


@pytest.mark.parametrize(
    ("clauses", "said"),
    [
        ("auth: public  list, get", "expected '{' behind the actions (to choose actions write 'actions: [list, get]'; "),
        ("list get auth: public", "expected '{' behind the actions (to choose actions write 'actions: [list, get]'; "),
        ("auth: public  list", "expected '{' behind the actions (to choose actions write 'actions: [list]'; "),
        ("auth: public  actions: [list, read]", "unknown action 'read' (did you mean 'get'?)"),
        ("auth: public  actions: [list, add]", "unknown action 'add' (did you mean 'create'?)"),
    ],
)
def test_actions_without_settings_say_how_they_are_chosen(clauses: str, said: str) -> None:
    text = f"entity Note {{ id: int, primary, auto  text: string  allow read: public }}\nresource Note at /notes {{ {clauses} }}\n"
    [found] = errors(text)
    assert found.startswith(said)


def test_names_of_the_program_go_before_words_of_other_languages() -> None:
    text = "endpoint GET /words { auth: public  query { sizes: list(int), required }  do { return size } }\n"
    assert errors(text)[0] == "undefined variable 'size'"


FIELDS = [
    ("int @unique", "int, unique", "expected ',', got '@' (a modifier follows a comma, as in ', required')"),
    ("int @unique @readOnly", "int, unique, read_only", "expected ',', got '@' (a modifier follows a comma, as in ', required')"),
    ("int, default: 5", "int, default(5)", "expected '(', got ':' (write 'default(5)')"),
    ("int, default = 5, min: 1", "int, default(5), min(1)", "expected '(', got '=' (write 'default(5)')"),
    ("ref(Note), onDelete: cascade", "ref(Note), on_delete(cascade)", "expected '(', got ':' (write 'on_delete(cascade)')"),
    ("string, maxLength: 20", "string, max_length(20)", "expected '(', got ':' (write 'max_length(20)')"),
]


@pytest.mark.parametrize(("written", "meant", "said"), FIELDS)
def test_a_modifier_of_another_language_is_mended(written: str, meant: str, said: str) -> None:
    assert errors(ENTITY.format(written))[0] == said
    assert fixed(ENTITY.format(written)) == ENTITY.format(meant)
    assert errors(ENTITY.format(meant)) == []


def test_fields_with_names_of_modifiers_are_fields() -> None:
    assert errors("entity Range { id: int, primary, auto, min: int, max: int, default: string, length: decimal, pattern: text }\n") == []


HEADERS = [
    (
        "workflow Say(name: string, times: int?) { trigger: manual  steps { say { do { log info input.name } } } }\n",
        "expected '{', got '(' (what it is given stands inside: 'input { name: string, required  times: int? }')",
        "workflow Say { input { name: string, required  times: int? }  trigger: manual  steps { say { do { log info input.name } } } }\n",
    ),
    (
        "job Say(name: string[]) { do { log info input.name.first() ?? '' } }\n".replace("'", '"'),
        "expected '{', got '(' (what it is given stands inside: 'input { name: list(string), required }')",
        'job Say { input { name: list(string), required }  do { log info input.name.first() ?? "" } }\n',
    ),
    (
        'job Say() { do { log info "a" } }\n',
        "expected '{', got '(' (without an input there are no parentheses)",
        'job Say { do { log info "a" } }\n',
    ),
    (
        'event Said { name: string, required  times: int? }\non Said { log info "{event.times ?? 0}" }\n',
        "unknown clause 'name' (the fields of an event stand in 'payload { … }')",
        'event Said { payload { name: string, required  times: int? } }\non Said { log info "{event.times ?? 0}" }\n',
    ),
    (
        "event Said { payload { name: string, required } }\non Said as e { let e2 = e.name  log info e2 }\n",
        "expected '{', got 'as' (inside, the event is called 'event', as in 'event.id')",
        "event Said { payload { name: string, required } }\non Said { let e2 = event.name  log info e2 }\n",
    ),
    (
        "event Said { payload { name: string, required } }\non Said(e) { log info e.name }\n",
        "expected '{', got '(' (inside, the event is called 'event', as in 'event.id')",
        "event Said { payload { name: string, required } }\non Said { log info event.name }\n",
    ),
]


@pytest.mark.parametrize(("text", "said", "meant"), HEADERS)
def test_what_stands_before_the_brace_moves_inside(text: str, said: str, meant: str) -> None:
    assert errors(text) == [said]
    assert fixed(text) == meant
    assert errors(meant) == []


@pytest.mark.parametrize("when", ["every day at 3am", 'at "0 3 * * *"', '"0 3 * * *"', "on schedule daily", "daily", "every 5m"])
def test_when_a_job_runs_stands_inside(when: str) -> None:
    [found] = errors(f'job Say {when} {{ do {{ log info "a" }} }}\n')
    assert found.endswith("(when it runs stands inside, as in 'schedule: every 15m' or 'schedule: \"0 3 * * *\"')")


def test_steps_beside_each_other_are_told_once_where_they_stand() -> None:
    text = 'workflow Say { trigger: manual\n    step one { do { log info "a" } }\n    step two { do { log info "b" } }\n}\n'
    assert errors(text)[0] == "expected 'steps', got 'step' (steps stand together and have no keyword: 'steps { one { … } }')"
    assert len(errors(text)) == 1


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        (
            "state: State = low",
            "undefined variable 'low' (a default is 'default(\"low\")'; what stands behind '=' is computed from other fields)",
        ),
        ("state: State, default(low)", "undefined variable 'low' (a member of an enum is a text: write \"low\")"),
        ("state: Stage", "unknown type 'Stage' (did you mean 'State'?)"),
        ("state: Colour", "unknown type 'Colour' (declare it, as in 'enum Colour { a, b }' or 'type Colour { … }')"),
        ("lines: many(Line)", "'many' names a reference of the other entity (write many(Line.order))"),
        ("policy read: public", "unknown clause 'policy' (did you mean 'allow'?)"),
        ("can read, update: public", "unknown clause 'can' (did you mean 'allow'?)"),
    ],
)
def test_what_is_meant_in_an_entity_is_said(clause: str, said: str) -> None:
    text = f"enum State {{ low, high }}\nentity Order {{\n    id: int, primary, auto\n    {clause}\n}}\n"
    assert errors(text + "entity Line { id: int, primary, auto  order: ref(Order)  stage: State }\n") == [said]


def test_lists_behind_filter_and_sort_choose_fields() -> None:
    text = "entity Note { id: int, primary, auto  at: date }\nresource Note at /notes { auth: public  list { filter: [at]  sort: [at] } }\n"
    assert [found.partition(" (")[0] for found in errors(text)] == ["expected '{', got '[' behind 'filter'", "expected an order, got '['"]
    assert errors(fixed(text)) == []


def test_a_member_is_not_assigned() -> None:
    body = 'let note = first Note where id == 1  note.text = "b"  return 1'
    text = f"entity Note {{ id: int, primary, auto  text: string }}\nendpoint POST /x {{ auth: public  do {{ {body} }} }}\n"
    [found] = errors(text)
    assert found == "members cannot be assigned (a row is changed by 'update note { text: … }', a variable by 'note = …')"


@pytest.mark.parametrize(
    ("statements", "said", "meant"),
    [
        ("var n = 1\nn += 2  return n", "expected a statement, got 'n +=' (write 'n = n + …')", "var n = 1\nn = n + 2  return n"),
        ("var n = 1\nn*=2  return n", "expected a statement, got 'n *=' (write 'n = n * …')", "var n = 1\nn= n *2  return n"),
        ("for x of [1] { print(x) }  return 1", "expected 'in', got 'of'", "for x in [1] { print(x) }  return 1"),
        ("let n = 1  return { n }", "expected ':', got '}' (write 'n: n')", "let n = 1  return { n: n }"),
        ("let n = 1  return { n, m: 2 }", "expected ':', got ',' (write 'n: n')", "let n = 1  return { n: n, m: 2 }"),
    ],
)
def test_a_statement_of_another_language_is_mended(statements: str, said: str, meant: str) -> None:
    around = "endpoint GET /x {{ auth: public  do {{ {} }} }}\n"
    assert errors(around.format(statements)) == [said]
    assert fixed(around.format(statements)) == around.format(meant)
    assert errors(around.format(meant)) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('Note.create({ text: "a" })', "undefined variable 'Note' ('Note' is an entity: write 'create Note { … }')"),
        ("Note.find_by_id(1)", "undefined variable 'Note' ('Note' is an entity: write 'get Note(id)')"),
        ("Note.all().where(n => n.id > 1)", "undefined variable 'Note' ('Note' is an entity: write 'select Note where …')"),
        ("Note.frob()", "undefined variable 'Note' ('Note' is an entity: read its rows with 'select Note')"),
        ("now", "undefined variable 'now' ('now' is a function: write 'now()')"),
        ("user.role", "unknown member 'role' of user (ask for a role by 'user.has_role(admin)')"),
        ('role("a")', "undefined function 'role' (write 'user.has_role(admin)')"),
    ],
)
def test_what_libraries_do_with_rows_and_callers_is_said(value: str, said: str) -> None:
    text = f"entity Note {{ id: int, primary, auto  text: string }}\nendpoint GET /x {{ auth: required  do {{ return {value} }} }}\n"
    assert errors(text) == [said]


def test_a_member_that_is_counted_up_is_changed_by_update() -> None:
    body = "let note = first Note where id == 1\nnote.count += 1  return 1"
    text = f"entity Note {{ id: int, primary, auto  count: int }}\nendpoint POST /x {{ auth: public  do {{ {body} }} }}\n"
    said = "expected a statement, got 'note.count +=' (a row is changed by 'update note { count: note.count + … }')"
    assert errors(text) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'integration Pay {{ url: "https://a.example"  operation pay {{ method: GET  path: "/" }} }}',
            "unknown clause 'url' (did you mean 'base_url'?)",
        ),
        ('job Clean {{ cron: "0 0 * * *"  do {{ log info "a" }} }}', "unknown clause 'cron' (did you mean 'schedule'?)"),
        ("endpoint GET /x {{ public  do {{ return 1 }} }}", "unknown clause 'public' (write 'auth: public')"),
        ("endpoint GET /x {{ auth: public  run {{ return 1 }} }}", "unknown clause 'run' (did you mean 'do'?)"),
        ('test "a" {{ let one = 1\n assert one == 1 }}', "unknown statement 'assert' (did you mean 'expect'?)"),
    ],
)
def test_a_clause_is_known_from_elsewhere(text: str, said: str) -> None:
    assert errors(text.format() + "\n")[0] == said


@pytest.mark.parametrize(
    ("statement", "said", "meant"),
    [
        ('emit Said({ text: "a" })', "emit Said { … }", 'emit Said { text: "a" }'),
        ("emit Said(note)", "emit Said { … }", None),
        ("let w = start Say({ id: note.id })", "start Say { … }", "let w = start Say { id: note.id }"),
        ("start Say(note.id)", "start Say { … }", None),
    ],
)
def test_what_is_emitted_or_started_is_given_values_with_names(statement: str, said: str, meant: str | None) -> None:
    declarations = (
        "entity Note { id: int, primary, auto  text: string }\n"
        "event Said { payload { text: string, required } }\non Said { log info event.text }\n"
        'workflow Say { input { id: int, required }  trigger: manual  steps { say { do { log info "{input.id}" } } } }\n'
    )
    around = declarations + 'endpoint POST /x {{ auth: public  do {{\nlet note = create Note {{ text: "a" }}\n{}\nreturn note }} }}\n'
    around = around.replace(declarations, declarations.replace("{", "{{").replace("}", "}}"))
    assert errors(around.format(statement)) == [f"expected '{{', got '(' (values have names and stand in braces: '{said}')"]
    if meant is not None:
        assert fixed(around.format(statement)) == around.format(meant)


def test_fields_called_like_a_policy_elsewhere_are_fields() -> None:
    assert errors("entity Door { id: int, primary, auto  access text, required  policy string  rule: text, required  can: bool }\n") == []
    assert errors("entity Door { id: int, primary, auto  tags list  name text }\n") == []


def test_what_is_answered_is_said_in_words_of_this_language() -> None:
    found = errors("endpoint GET /x { auth: public  do { return res.status(201) } }\n")
    assert found == ["undefined variable 'res' (what is answered stands behind 'return', as in 'return order status 201')"]
