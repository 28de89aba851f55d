"""What other languages and systems call the same thing: the words that authors bring along, and what to write here instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from codeai.language.suggestions import Suggestion, nearest

# Folded words (small letters, without '_'), and the names here that may be meant, of which one is known where the word stands.
_MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    # types
    **dict.fromkeys(("str", "char", "nvarchar", "character", "cstring"), ("string", "to_string")),
    **dict.fromkeys(("long", "short", "smallint", "serial", "bigserial", "uint", "byte", "num"), ("int",)),
    **dict.fromkeys(("real", "single"), ("float",)),
    **dict.fromkeys(("money", "currency", "bigdecimal"), ("decimal",)),
    **dict.fromkeys(("i32", "i64", "u32", "u64", "usize", "int8", "int16"), ("int",)),
    **dict.fromkeys(("f32", "f64", "float32", "float64"), ("float",)),
    **dict.fromkeys(("select", "choice", "choices", "oneof"), ("enum",)),
    "autodate": ("timestamp",),
    **dict.fromkeys(("dict", "dictionary", "hash", "hashmap"), ("map", "hash")),
    **dict.fromkeys(("set", "tuple", "vector", "sequence"), ("list",)),
    **dict.fromkeys(("struct", "unknown", "dynamic", "mixed", "variant"), ("json",)),
    **dict.fromkeys(("blob", "bytea", "buffer", "file"), ("bytes",)),
    **dict.fromkeys(("timestamptz", "instant", "zoneddatetime", "datetime", "localdatetime"), ("timestamp",)),
    **dict.fromkeys(("interval", "timedelta", "timespan"), ("duration",)),
    **dict.fromkeys(("uri", "link"), ("url", "base_url")),
    "url": ("base_url",),
    **dict.fromkeys(("guid", "uuidv4", "objectid"), ("uuid",)),
    **dict.fromkeys(("belongsto", "foreignkey", "references", "relation"), ("ref",)),
    # what is done with rows
    **dict.fromkeys(("read", "show", "view", "retrieve", "fetch", "detail"), ("get", "read")),
    "get": ("read",),
    **dict.fromkeys(("index", "query", "search", "all"), ("list", "read")),
    **dict.fromkeys(("add", "insert", "new", "post", "write", "save"), ("create",)),
    **dict.fromkeys(("edit", "patch", "put", "modify", "change"), ("update",)),
    **dict.fromkeys(("remove", "destroy", "del", "erase"), ("delete",)),
    **dict.fromkeys(("policy", "policies", "grant", "permit", "permission", "rule", "access"), ("allow", "permissions")),
    # functions
    **dict.fromkeys(("touppercase", "uppercase", "toupper", "upcase", "ucase"), ("upper",)),
    **dict.fromkeys(("tolowercase", "lowercase", "tolower", "downcase", "lcase"), ("lower",)),
    **dict.fromkeys(("strip", "trimspace", "chomp"), ("trim",)),
    **dict.fromkeys(("ltrim", "lstrip", "trimstart", "trimleft"), ("trim_left",)),
    **dict.fromkeys(("rtrim", "rstrip", "trimend", "trimright"), ("trim_right",)),
    **dict.fromkeys(("len", "size", "charlength", "strlen"), ("length",)),
    **dict.fromkeys(("includes", "has", "indexof"), ("contains",)),
    **dict.fromkeys(("hasprefix", "beginswith"), ("starts_with",)),
    "hassuffix": ("ends_with",),
    **dict.fromkeys(("replaceall", "gsub", "sub"), ("replace",)),
    **dict.fromkeys(("slugify", "parameterize"), ("slug",)),
    **dict.fromkeys(("average", "mean"), ("avg",)),
    **dict.fromkeys(("collect", "transform"), ("map",)),
    **dict.fromkeys(("where", "grep"), ("filter",)),
    **dict.fromkeys(("some", "exists"), ("any",)),
    "every": ("all",),
    **dict.fromkeys(("distinct", "uniq", "dedupe"), ("unique",)),
    **dict.fromkeys(("orderby", "sortby", "sorted"), ("sort",)),
    "groupby": ("group_by",),
    **dict.fromkeys(("ceiling", "roundup"), ("ceil",)),
    **dict.fromkeys(("rand", "randint"), ("random",)),
    **dict.fromkeys(("tostring", "stringify", "repr", "text"), ("to_string",)),
    **dict.fromkeys(("toint", "int", "integer", "atoi", "number"), ("parse_int",)),
    **dict.fromkeys(("todecimal", "decimal", "float", "parsefloat", "tonumber"), ("parse_decimal",)),
    **dict.fromkeys(("jsonencode", "jsonstringify", "dumps"), ("to_json",)),
    **dict.fromkeys(("jsondecode", "jsonparse", "loads"), ("parse_json",)),
    **dict.fromkeys(("utcnow", "currenttime", "currenttimestamp", "getdate"), ("now",)),
    **dict.fromkeys(("currentdate", "curdate"), ("today",)),
    **dict.fromkeys(("strftime", "dateformat", "formatdatetime"), ("format_date",)),
    **dict.fromkeys(("strptime", "todate", "parsedatetime"), ("parse_date",)),
    **dict.fromkeys(("datediff", "daysbetween"), ("diff_days",)),
    **dict.fromkeys(("trunc", "datetrunc", "startof"), ("start_of",)),
    **dict.fromkeys(("uuid4", "newuuid", "genrandomuuid", "randomuuid", "generateid", "newid", "cuid", "nanoid", "ulid"), ("uuid",)),
    **dict.fromkeys(("sha256", "md5", "digest"), ("hash",)),
    **dict.fromkeys(("bcrypt", "hashpw"), ("hash_password",)),
    **dict.fromkeys(("checkpassword", "comparepassword", "checkpw"), ("verify_password",)),
    **dict.fromkeys(("signjwt", "createtoken", "signtoken", "jwt", "generatetoken"), ("issue_token",)),
    **dict.fromkeys(("getenv", "environ"), ("env",)),
    **dict.fromkeys(("puts", "println", "echo", "printf"), ("print",)),
    **dict.fromkeys(("hasrole", "isinrole"), ("has_role",)),
    **dict.fromkeys(("can", "hasscope", "permitted"), ("has_permission", "allow")),
    # clauses
    **dict.fromkeys(("baseurl", "host", "baseuri", "server"), ("base_url", "url")),
    **dict.fromkeys(("cron", "every", "runs", "crontab"), ("schedule",)),
    **dict.fromkeys(("parameters", "params", "args", "arguments", "inputs"), ("input", "query", "body")),
    "input": ("body", "payload"),
    **dict.fromkeys(("request", "requestbody", "data"), ("body", "payload", "input")),
    **dict.fromkeys(("response", "result", "output", "responds"), ("returns",)),
    **dict.fromkeys(("handler", "run", "execute", "logic", "code", "perform", "action", "script"), ("do",)),
    **dict.fromkeys(("middleware", "middlewares", "plugins"), ("use",)),
    **dict.fromkeys(("guard", "authorize", "authentication"), ("auth",)),
    **dict.fromkeys(("scope", "scopes"), ("permissions",)),
    **dict.fromkeys(("throttle", "ratelimiting"), ("rate_limit",)),
    **dict.fromkeys(("orderedby", "ordering", "defaultsort"), ("sort", "sort_by")),
    **dict.fromkeys(("filters", "filterable"), ("filter_by", "filter")),
    **dict.fromkeys(("attempts", "retries", "maxattempts", "retrypolicy", "maximumattempts"), ("retry",)),
    **dict.fromkeys(("starttoclosetimeout", "executiontimeout", "deadline", "timeoutseconds"), ("timeout",)),
    **dict.fromkeys(("waitforevent", "waitfor", "waituntil", "awaitevent"), ("wait",)),
    **dict.fromkeys(("on", "event", "triggers", "startat"), ("trigger",)),
    **dict.fromkeys(("onerror", "onfailure", "catch", "rescue"), ("on_fail",)),
    **dict.fromkeys(("oncompletion", "finally", "onfinish"), ("on_complete",)),
    **dict.fromkeys(("undo", "rollback", "compensation"), ("compensate",)),
    **dict.fromkeys(("if", "condition", "unless"), ("when", "where")),
    **dict.fromkeys(("foreach", "loop"), ("for_each",)),
    # modifiers of fields
    **dict.fromkeys(("primarykey", "pk", "key", "id"), ("primary",)),
    **dict.fromkeys(("autoincrement", "identity", "generated"), ("auto",)),
    **dict.fromkeys(("notnull", "nonnull", "mandatory"), ("required",)),
    **dict.fromkeys(("nullable", "null", "maybe"), ("optional",)),
    **dict.fromkeys(("readonly", "computed"), ("read_only",)),
    **dict.fromkeys(("writeonly", "hidden", "private"), ("write_only",)),
    **dict.fromkeys(("regex", "regexp", "format"), ("pattern", "format_date")),
    **dict.fromkeys(("fulltext", "indexed"), ("searchable",)),
    **dict.fromkeys(("maxlen", "maxlength"), ("max_length",)),
    **dict.fromkeys(("minlen", "minlength"), ("min_length",)),
    **dict.fromkeys(("gte", "minimum", "ge"), ("min",)),
    **dict.fromkeys(("lte", "maximum", "le"), ("max",)),
    **dict.fromkeys(("final", "frozen", "constant"), ("immutable",)),
    **dict.fromkeys(("encrypted", "sensitive", "password"), ("secret",)),
    **dict.fromkeys(("ondelete", "cascade"), ("on_delete",)),
}
# The same where it is said who may come in.
_GUARDS_MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("anonymous", "guest", "everyone", "anyone", "open", "none", "no", "false", "off", "disabled"), ("public",)),
    **dict.fromkeys(("user", "users", "authenticated", "loggedin", "login", "protected", "true", "yes", "enabled"), ("required",)),
}
# Clauses that say who may ask, as they are written where they stand alone.
_CLAUSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("public", "anonymous"), "write 'auth: public'"),
    **dict.fromkeys(("authenticated", "protected", "loggedin"), "write 'auth: required'"),
    **dict.fromkeys(("pagination", "paginate", "paginated", "per_page"), "lists have pages by themselves: 'list { page_size: 20 }'"),
    **dict.fromkeys(("filters", "filterable", "filterset_fields"), "write 'list { filter_by: [a, b] }'"),
    **dict.fromkeys(
        ("search", "search_fields", "searchable"), "mark the fields that are looked through, as in 'title: string, searchable'"
    ),
    **dict.fromkeys(("depends_on", "dependsOn", "needs", "after", "next", "Next"), "steps run in the order in which they stand"),
    **dict.fromkeys(("queryset", "serializer", "serializer_class", "model"), "leave it out: a resource is that of its entity"),
}
LOOPS: Final = "go through a list by 'for item in items { … }'; what is repeated over time is a job with a schedule"
# Namespaces and values that there are not here, as they are written where they stand alone.
_OBJECTS: Final = frozenset(("process", "os", "context", "params", "request", "response", "reply", "session", "auth", "principal"))
_ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("range", "enumerate"), LOOPS),
    **dict.fromkeys(("log", "slog", "fmt"), "write 'log info \"…\"'"),
    "ID": "write 'uuid', or 'int'",
    "Math": "functions have no namespace here, as in 'round(x)' or 'max(a, b)'",
    "JSON": "write 'to_json(value)' or 'parse_json(text)'",
    **dict.fromkeys(("Date", "datetime", "moment", "dayjs", "DateTime"), "write 'now()', 'today()' or 'parse_date(text)'"),
    **dict.fromkeys(("console", "logger", "Logger", "logging"), "write 'log info \"…\"'"),
    **dict.fromkeys(("process", "os"), "what the environment has is read by 'env(NAME)'"),
    **dict.fromkeys(("req", "request", "ctx", "context", "params"), "a request brings 'path', 'query', 'header', 'cookie' and 'body'"),
    **dict.fromkeys(("res", "response", "reply"), "what is answered stands behind 'return', as in 'return order status 201'"),
    **dict.fromkeys(("db", "session", "prisma", "knex"), "rows are read by 'select' and written by 'create', 'update' and 'delete'"),
    **dict.fromkeys(("authenticated", "signed_in", "logged_in"), "write 'user.id != null'"),
    **dict.fromkeys(("anyone", "everyone", "anonymous"), "write 'allow read: public'"),
    **dict.fromkeys(("jsonwebtoken", "sign"), "write 'issue_token(user.id, [\"member\"], 7d)'"),
    **dict.fromkeys(("send_email", "sendEmail", "send_mail", "mail", "mailer"), 'write \'send email(to) { subject: "…"  text: "…" }\''),
    **dict.fromkeys(("role", "is_admin", "isAdmin"), "write 'user.has_role(admin)'"),
    **dict.fromkeys(("owner", "own", "is_owner", "isOwner"), "compare a field with the caller, as in 'owner_id == user.id'"),
    **dict.fromkeys(("this", "self"), "fields of the row have no prefix here"),
    **dict.fromkeys(("undefined", "None", "nil", "NULL"), "what is not there is 'null'"),
    **dict.fromkeys(("True", "TRUE"), "write 'true'"),
    **dict.fromkeys(("False", "FALSE"), "write 'false'"),
    **dict.fromkeys(("current_user", "currentUser", "principal", "auth"), "who asks is 'user', as in 'user.id'"),
    **dict.fromkeys(("push", "append", "concat", "extend"), "lists are added, as in 'items + [item]'"),
    **dict.fromkeys(("reduce", "fold", "inject"), "add up by 'sum(items, x => …)', or go through them by 'for item in items { … }'"),
    **dict.fromkeys(("forEach", "each"), "go through a list by 'for item in items { … }'"),
    **dict.fromkeys(("save", "persist"), "a row is written by 'create Entity { … }', and changed by 'update row { field: … }'"),
    **dict.fromkeys(("toBe", "toEqual", "to_equal", "toStrictEqual"), "write 'expect a == b'"),
    **dict.fromkeys(("autoincrement", "nextval"), "write 'auto' in place of 'default(…)'"),
    **dict.fromkeys(("format", "sprintf"), 'put texts together in one, as in "{name}: {count}"'),
}

# What begins statements elsewhere, for statements that there are here.
STATEMENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("const", "val", "local", "def"), "let"),
    **dict.fromkeys(("insert", "add", "new"), "create"),
    **dict.fromkeys(("foreach", "for_each"), "for"),
    **dict.fromkeys(("throw", "raise", "error"), "fail"),
    **dict.fromkeys(("print", "echo"), "log"),
    **dict.fromkeys(("remove", "destroy"), "delete"),
    **dict.fromkeys(("publish", "trigger"), "emit"),
    "assert": "require",
}
_TESTING: Final = "write 'as user { id: \"u1\", roles: [agent] }', 'let r = POST /x { … }' and 'expect r.status == 201'"
_CASES: Final = 'write \'if state == "new" { … } else if state == "paid" { … } else { … }\''
_FAILING: Final = "what fails undoes what its block wrote: 'require … else fail 409'; what follows then stands in 'on_fail' of a step"
# The same, for what is done in another way here.
_STATEMENT_ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("while", "loop", "repeat", "until"), LOOPS),
    **dict.fromkeys(("switch", "match", "case"), _CASES),
    **dict.fromkeys(("try", "catch", "finally", "rescue", "except"), _FAILING),
    **dict.fromkeys(("save", "persist"), "a row is written by 'create Entity { … }', and changed by 'update row { field: … }'"),
    **dict.fromkeys(("given", "when", "then", "it", "describe"), _TESTING),
    **dict.fromkeys(("wait", "delay", "pause"), "write 'sleep 5m'; in a step, 'sleep: 5m' or 'wait: Event where …'"),
    **dict.fromkeys(("begin", "transaction", "commit", "rollback"), "a block is one transaction: all of it is written, or nothing"),
    **dict.fromkeys(("defer", "async", "spawn", "go"), "what is done later is begun by 'run Job { … }' or 'start Workflow { … }'"),
    **dict.fromkeys(("SELECT", "INSERT", "UPDATE", "DELETE"), "write 'select Entity where …' or 'create Entity { … }'"),
}
_RECORDS: Final = "rows of the database are declared by 'entity Name { … }', other records by 'type Name { … }'"
_ROUTES: Final = "what answers a request is declared by 'endpoint GET /path { … }'"
_FUNCTIONS: Final = f"write 'function name(a: int) -> int {{ … }}'; {_ROUTES}"
_INPUTS: Final = "what a request brings is described by 'path { … }', 'query { … }', 'header { … }' and 'body { … }'"
_GUARDS: Final = "who may come in is said inside: 'auth: required', 'roles: [admin]' or 'permissions: [\"orders:read\"]'"
_HEAD: Final = 'a program has no head; what it is called stands in \'config { name: "shop"  version: "1.0.0" }\''
_SETTINGS: Final = "settings stand in 'config { … }', as in 'config { server { port: 8080 } }'"
_FILES: Final = "all .cai files of a folder are one program; what is written in Python is declared by 'extern function'"
# The same of declarations, by their words in small letters.
_DECLARATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("class", "struct", "interface", "record", "data", "schema", "create", "table", "trait", "impl", "object"), _RECORDS),
    **dict.fromkeys(("func", "fn", "def", "fun", "sub", "procedure", "async", "public", "private", "static", "pub", "void"), _FUNCTIONS),
    **dict.fromkeys(("package", "module", "namespace", "use", "using", "from", "require", "include", "export"), _FILES),
    **dict.fromkeys(("app", "router", "route", "routes", "get", "post", "put", "patch", "controller", "paths"), _ROUTES),
    **dict.fromkeys(("openapi", "swagger"), f"an OpenAPI document is made from the program, and served at /openapi.json; {_ROUTES}"),
    **dict.fromkeys(("select", "insert", "update", "delete"), "statements stand in a block, as in 'endpoint GET /path { do { … } }'"),
    **dict.fromkeys(("program", "project", "application", "service", "backend"), _HEAD),
    **dict.fromkeys(("server", "settings", "environment", "cors", "logging"), _SETTINGS),
    **dict.fromkeys(("generator", "datasource"), "the database is named in 'config { database … }', or by DATABASE_URL"),
    **dict.fromkeys(("queue", "queues"), "queues are named in 'config { queues { … } }'"),
    **dict.fromkeys(("task", "cron", "schedule", "scheduled"), "write 'job Name { schedule: every 15m  do { … } }'"),
    **dict.fromkeys(("flow", "pipeline", "saga", "process"), "write 'workflow Name { steps { … } }'"),
}
_ANNOTATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("entity", "table", "model", "document", "dataclass"), _RECORDS),
    **dict.fromkeys(("app", "router", "get", "post", "put", "patch", "delete", "controller", "restcontroller", "requestmapping"), _ROUTES),
    **dict.fromkeys(("getmapping", "postmapping", "putmapping", "patchmapping", "deletemapping", "route", "api"), _ROUTES),
    **dict.fromkeys(("pathvariable", "requestparam", "requestbody", "valid", "validated", "query", "param", "body", "headers"), _INPUTS),
    **dict.fromkeys(("preauthorize", "secured", "rolesallowed", "roles", "useguards", "login_required", "authorize"), _GUARDS),
    **dict.fromkeys(("transactional", "transaction", "atomic"), "a block is one transaction: all of it is written, or nothing"),
    **dict.fromkeys(("scheduled", "cron", "periodic_task"), "write 'job Name { schedule: \"0 * * * *\"  do { … } }'"),
    **dict.fromkeys(("eventlistener", "onevent", "receiver", "subscribe"), "write 'on EventName { … }'"),
}


def nearest_or_meant(word: str, known: Iterable[str]) -> Suggestion | None:
    """The known name that an author most likely meant: one that is a letter away, else what the word of another language is called here,
    else the nearest; None where nothing is near, or where ``instead`` knows better (``Math`` is no misspelt ``path``).
    """
    names = list(known)
    near = nearest(word, names)
    if near is not None and near.sure and not (word in _ADVICE and word[0].isupper()):
        return near
    folded = word.replace("_", "").lower()
    candidates = (_GUARDS_MEANT.get(folded) if "public" in names else None) or _MEANT.get(folded, ())
    elsewhere = next((name for name in candidates if name != word and name in names), None) if candidates else None
    if elsewhere is not None:
        return Suggestion(elsewhere, sure=False)
    return None if word in _ADVICE else near


def instead(word: str, *, called: bool = False) -> str:
    """What to write instead of a name that there is not here and that no other name replaces; empty where nothing is known.

    :param called: it stands for a function, which may well be the author's own
    """
    return "" if called and word in _OBJECTS else _ADVICE.get(word, "")


def clause_instead(word: str) -> str:
    """The same of a clause."""
    return _CLAUSES.get(word, "")


def statement_instead(word: str) -> str:
    """The same of what begins a statement."""
    return _STATEMENT_ADVICE.get(word, "")


def declaration_instead(word: str) -> str:
    """The same of what begins a declaration."""
    return _DECLARATIONS.get(word.lower(), "")


def annotation_instead(word: str) -> str:
    """The same of an annotation."""
    return _ANNOTATIONS.get(word.lower(), "")
