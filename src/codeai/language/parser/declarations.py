"""Declarations and modules."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.elsewhere import annotation_instead, declaration_instead
from codeai.language.lexer import END, NAME, STRING, is_name
from codeai.language.naming import table_name
from codeai.language.operators import METHODS
from codeai.language.parser import foreign_endpoints, foreign_headers, foreign_sql, scripts, slips
from codeai.language.parser.events import Events
from codeai.language.parser.foreign_types import canonical
from codeai.language.parser.reporting import ParseFailure, in_words
from codeai.language.parser.statements import KEYWORDS
from codeai.language.spellings import descriptions, endpoints, security
from codeai.language.spellings import settings as spelled
from codeai.language.spellings.declarations import SPELLINGS
from codeai.language.spellings.hosts import Host, block_end, request_place
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import module, types
from codeai.language.tree.node import Identifier

_DESCRIBED: Final = "what describes another declaration stands before it behind '///'"
_VALUED: Final = "members of an enum are names without values"
_ANNOTATIONS: Final = ("deprecated", "summary", "tag", "internal", "version", "auth", "rate_limit", "cache")


class Parser(Events):
    """Parses whole files."""

    def module(self) -> module.Module:
        """All declarations of the file; broken ones are reported and left out."""
        start = self.file.base
        declarations: list[d.Declaration] = []
        while not self.at(END):
            before = self.i
            try:
                declarations.extend(self.declaration())
            except ParseFailure:
                self.depth, self.header, self.aliases, self.in_test, self.nesting = 0, False, False, False, 0
                self.host = Host()
                self._skip_declaration(before)
                self.leave_gap(before, whole=True)
            self.separator()
        return module.Module(start, self.file.end, self.file.path, tuple(declarations), tuple(self.tokens.comments), tuple(self.gaps))

    def _skip_declaration(self, before: int) -> None:
        self.i = max(self.i, before + 1)
        while not self.at(END) and not (self.breaks[self.i] and self.declaration_begins()):
            self.skip_balanced()

    def declaration(self) -> tuple[d.Declaration, ...]:
        """The declaration at the current token, with its annotations; an older spelling may stand for several."""
        description = self.tokens.docs.get(self.i, "")
        self.keyword = self.owner = ""
        self.whole = len(self.gaps)
        annotations = self._annotations()
        description = description or self.tokens.docs.get(self.i, "")
        if self.at(NAME) and foreign_sql.declaration(self):
            return ()
        if not annotations and scripts.begins(self) and not self.declaration_begins():
            self.host = Host()
            script = scripts.script(self)
            return (script,) if script.body.statements else ()
        if not self.at(NAME):
            self.fail_expected("a declaration", among=in_words(_DECLARATIONS))
        if self.texts[self.i] in _DECLARATIONS:
            slips.doubled(self, (NAME, STRING) if self.text_at(2) != "{" else ("{",) * (self.texts[self.i] in ("config", "seed")))
        word = self.texts[self.i]
        self.keyword = word if word in _DECLARATIONS or word in SPELLINGS else ""
        self.owner = self._name_behind()
        self.host = Host()
        spelling = SPELLINGS.get(word)
        if spelling is not None:
            declarations = descriptions.described(self, lambda: spelling(self))
            if declarations is not None:
                return declarations
        parse = _DECLARATIONS.get(word)
        if parse is None:
            name = Identifier(self.start, self.ends[self.i], word)
            self.unknown("declaration", name, _DECLARATIONS, "CAI0014", older=SPELLINGS, otherwise=declaration_instead(word))
            meant = nearest(word, (*_DECLARATIONS, *SPELLINGS)) if not declaration_instead(word) else None
            if meant is None or not meant.sure:
                raise ParseFailure
            self.texts[self.i] = meant.name  # surely a slip, so that what it declares is known
            return self.declaration()
        if word not in ("endpoint", "resource") and annotations and all(found.name.text in _ANNOTATIONS for found in annotations):
            first = annotations[0]
            self.report("annotations belong to endpoints and resources", "CAI0018", first.start, first.end, help_text=_DESCRIBED)
        return (descriptions.described(self, lambda: parse(self, description, annotations)),)

    def _name_behind(self) -> str:
        """The name behind the current keyword, as it is written."""
        at = self.i + 1
        while self.kinds[at] == NAME and self.kinds[at + 1] == "." and not self.breaks[at + 1]:
            at += 2
        return "".join(self.texts[self.i + 1 : at + 1]).strip("\"'") if self.kinds[at] in (NAME, STRING) else ""

    def _annotations(self) -> tuple[d.Annotation, ...]:
        found: list[d.Annotation] = []
        while self.at("@"):
            start = self.start
            self.i += 1
            name = self.identifier("an annotation")
            if name.text == "rateLimit":
                self.older(start, name.end, "@rate_limit")
                name = Identifier(name.start, name.end, "rate_limit")
            if name.text not in _ANNOTATIONS:
                self.unknown("annotation", name, _ANNOTATIONS, "CAI0019", otherwise=annotation_instead(name.text))
            arguments: tuple[ex.Expression, ...] = ()
            if self.at("("):
                call = self._call(ex.Name(name.start, name.end, name.text))
                values = call.arguments if isinstance(call, ex.Call) else ()
                arguments = tuple(security.annotation(self, name.text, argument.value) for argument in values)
            found.append(d.Annotation(start, self.previous_end, name, arguments))
        return tuple(found)

    def _import(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        pattern = self.text_literal("a path")
        return d.ImportDeclaration(start, self.previous_end, description, pattern)

    def _config(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        settings = spelled.config(self, self.settings())
        return d.ConfigDeclaration(start, self.previous_end, description, settings)

    def _entity(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        self.expect("{", "'{'")
        clauses = self.items(self.entity_clause)
        return d.EntityDeclaration(start, self.previous_end, description, name, clauses)

    def _type(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        foreign_headers.worded(self, ("struct", "interface", "record"))
        self.take("=")
        self.expect("{", "'{'")
        fields = self.items(self.field_item)
        return d.TypeDeclaration(start, self.previous_end, description, name, fields)

    def _enum(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        self.expect("{", "'{'")
        members = self.items(self._enum_member)
        return d.EnumDeclaration(start, self.previous_end, description, name, members)

    def _enum_member(self) -> Identifier:
        if self.at("string"):
            start, end = self.start, self.ends[self.i]
            return Identifier(start, end, self.text_literal())
        member = self.identifier("a member")
        if self.at(":") or self.at("="):  # several members with values are one mistake
            if not (self.diagnostics and self.diagnostics[-1].message == _VALUED):
                self.report(_VALUED, "CAI0010", self.start, self.ends[self.i], help_text="list the names")
            self.i += 1
            self.i += not self.at(END)
        return member

    def _path(self) -> d.Path:
        start = self.start
        if self.kinds[self.i] == "string":
            text, start = self.text_literal(), start + 1
            end = start + len(text)
        elif self.at("/"):
            start, end = self.path_run()
            text = self.file.text[start - self.file.base : end - self.file.base]
        else:
            self.fail_expected("a path", help_text="a path begins with '/'")
        segments: list[d.PathSegment] = []
        at = start
        for part in text.split("/"):
            if part:
                segments.append(self._segment(part, at))
            at += len(part) + 1
        return d.Path(start, end, tuple(segments))

    def _segment(self, part: str, at: int) -> d.PathSegment:
        end = at + len(part)
        name = part[1:-1] if part.startswith("{") and part.endswith("}") else part[1:] if part.startswith(":") else None
        if name is not None and is_name(name):
            return d.PathSegment(at, end, name, True)
        foreign = foreign_endpoints.parameter(self, part, at)
        if foreign:
            return d.PathSegment(at, end, foreign, True)
        if name is not None or any(character in '{}:?#%"\\' or not "!" <= character <= "~" for character in part):
            self.fail(
                f"malformed path segment '{part}'",
                "CAI0020",
                at,
                end,
                help_text="a parameter is written {name}; its type stands in 'path { … }'",
            )
        return d.PathSegment(at, end, part, False)

    def _resource(self, description: str, annotations: tuple[d.Annotation, ...]) -> d.Declaration:
        start, entity = self.head()
        if self.take_word("at"):
            path = self._path()
        else:
            self.fail_expected("'at' and a path", help_text=f"as in 'resource {entity.text} at /{table_name(entity.text)}'")
        self.expect("{", "'{'")
        clauses = self.items(self.resource_clause)
        return d.ResourceDeclaration(start, self.previous_end, description, entity, path, clauses, annotations)

    def _endpoint(self, description: str, annotations: tuple[d.Annotation, ...]) -> d.Declaration:
        foreign_endpoints.headless(self)
        start, method = self.head()
        if method.text not in METHODS[:5]:
            method = self.unknown("method", method, METHODS[:5], "CAI0021")
        path = self._path()
        answer = (
            self._arrow()
            if self.at("->")
            else foreign_endpoints.worded(self, method.text, self.file.text[path.start - self.file.base : path.end - self.file.base])
        )
        place, older, taking = request_place(self)
        parameters = tuple(segment.text for segment in path.segments if segment.parameter)
        self.host = Host(older, parameters, place, end=block_end(self), takes_input=taking)
        self.expect("{", "'{'")
        clauses = (*answer, *endpoints.finished(self, self.items(self.endpoint_clause)))
        self.host = Host()
        return d.EndpointDeclaration(start, self.previous_end, description, method, path, clauses, annotations)

    def _arrow(self) -> tuple[d.Clause, ...]:
        """``-> T`` behind the path of an endpoint, as if it were a function."""
        start, before = self.start, self.previous_end
        answer = self._result()
        if answer is None:
            return ()
        written = canonical(self, answer)
        edits = (Edit(before, answer.end, ""), Edit(self.ends[self.i], self.ends[self.i], f" returns: {written} ")) if self.at("{") else ()
        self.report("expected '{', got '->'", "CAI0037", start, answer.end, help_text=f"write 'returns: {written}' inside", edits=edits)
        return (d.ReturnsClause(start, answer.end, answer),)

    def _function(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        parameters = self._parameters()
        result = self._result()
        body = self.block()
        return d.FunctionDeclaration(start, body.end, description, name, parameters, result, body)

    def _extern(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        self.expect_word("function")
        name = self.identifier()
        parameters = self._parameters()
        result = self._result()
        self.expect_word("from")
        source = self.text_literal("a Python name")
        return d.FunctionDeclaration(start, self.previous_end, description, name, parameters, result, None, source)

    def _result(self) -> types.TypeExpression | None:
        if not self.take("->"):
            return None
        if self.at("{") and self.text_at(1) in KEYWORDS and self.kind_at(2) != ":":  # the block, not a record
            self.report("expected a type, got '{'", "CAI0010", self.start, self.ends[self.i], expected=("a type",))
            return None
        return self.type_expression()

    def _parameters(self) -> tuple[d.ParameterDeclaration, ...]:
        self.expect("(", "'('")
        found: list[d.ParameterDeclaration] = []
        while not self.at(")"):
            name = self.identifier("a parameter")
            self.host.declared.add(name.text)
            type_ = self.type_expression() if self.take(":") else None
            found.append(d.ParameterDeclaration(name.start, self.previous_end, name, type_))
            if not self.take(","):
                break
        self.expect(")", "')'")
        return tuple(found)

    def _provider(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        settings = spelled.kind(self, "method") + spelled.flattened(self, self.settings(), "method")
        return d.AuthDeclaration(start, self.previous_end, description, name, settings)

    def _role(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        self.expect("{", "'{'")
        clauses = self.items(self._role_clause)
        return d.RoleDeclaration(start, self.previous_end, description, name, clauses)

    def _role_clause(self) -> d.NamesClause | tuple[d.NamesClause, ...] | None:
        if self.at(NAME) and self.texts[self.i] in ("permissions", "inherits"):
            return self.names_clause()
        if descriptions.taken(self):
            return ()
        name = self.identifier("'permissions' or 'inherits'")
        self.unknown("clause", name, ("permissions", "inherits"), "CAI0013")
        self.skip_item()
        return None

    def _seed(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        body = self.block()
        return d.SeedDeclaration(start, body.end, description, body)

    def _test(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start = self.start
        self.i += 1
        name = self.text_literal("the name of the test")
        self.in_test = True
        body = self.block()
        self.in_test = False
        return d.TestDeclaration(start, body.end, description, name, body)


_DECLARATIONS: Final = {
    "import": Parser._import,
    "config": Parser._config,
    "entity": Parser._entity,
    "type": Parser._type,
    "enum": Parser._enum,
    "resource": Parser._resource,
    "endpoint": Parser._endpoint,
    "function": Parser._function,
    "extern": Parser._extern,
    "auth": Parser._provider,
    "role": Parser._role,
    "seed": Parser._seed,
    "test": Parser._test,
    "event": Parser._event,
    "on": Parser._handler,
    "webhook": Parser._webhook,
    "integration": Parser._integration,
    "workflow": Parser._workflow,
    "job": Parser._job,
    "middleware": Parser._middleware,
}
