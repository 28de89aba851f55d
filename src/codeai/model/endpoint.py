"""Endpoints: what a request must look like, what is done with it, what comes back.

A ``resource`` is lowered to one endpoint per action. The ``action`` of an endpoint is one of the classes below; ``Unavailable``
answers 501 with its reason.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.language.types import Type
from codeai.model.entity import Constraints
from codeai.model.expression import Entry, Expression, Order
from codeai.model.limits import RateLimit
from codeai.model.security import Guard
from codeai.model.statement import Block

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class InputField(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One value that a client may or must send. ``name`` is the name on the wire and in the program.

    A field is ``required`` when it must be sent; ``nullable`` when an explicit null is accepted. ``default`` is used when it is absent.
    ``reference`` names the entity whose key the value is.
    """

    name: str
    type: Type
    required: bool = False
    nullable: bool = False
    default: Expression | None = None
    constraints: Constraints = Constraints()
    reference: str | None = None
    write_only: bool = False
    description: str = ""
    at: int = -1


class Shape(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A record that a client sends. ``name`` names the schema in the OpenAPI document (``ProductCreate``), empty when inline.

    ``entity`` is set for shapes derived from one; ``partial`` shapes need no field and remember which were sent;
    ``open`` accepts any JSON (``body: json``), ``many`` expects a list of the shape.
    """

    name: str = ""
    fields: tuple[InputField, ...] = ()
    entity: str | None = None
    partial: bool = False
    open: bool = False
    many: bool = False
    multipart: bool = False


class Inputs(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The parts of a request that an endpoint reads. ``path`` has every parameter of the path, in order."""

    path: tuple[InputField, ...] = ()
    query: tuple[InputField, ...] = ()
    header: tuple[InputField, ...] = ()
    cookie: tuple[InputField, ...] = ()
    body: Shape | None = None
    closed_query: bool = False


class ErrorAnswer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``error 409: "text"``: the text (and code) for that status of this endpoint."""

    status: int
    message: str
    code: str | None = None


class Returns(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The declared result. ``type`` None is void. ``media_type`` is set for bytes (``image/png``). ``declared`` false: the type was
    inferred from the block.
    """

    type: Type | None = None
    status: int | None = None
    media_type: str | None = None
    declared: bool = True


class ParameterFilter(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A query parameter of a list that filters by ``field``: equality (``equals``), ``min_f``, ``max_f``; a list type means any of."""

    parameter: str
    field: str
    operator: Literal["equals", "minimum", "maximum"]


class PathSource(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A path parameter that stands for a ``ref`` field (``post_id``): filters a list, sets the field of a new row, restricts a key."""

    parameter: str
    field: str


class Validation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``validate { sku is unique, category exists, condition else "text" }``."""

    kind: Literal["unique", "exists", "condition"]
    field: str | None = None
    condition: Expression | None = None
    message: str | None = None
    at: int = -1


class ConditionalFilter(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A line of ``filter``: ``condition`` over ``RangeRow("r0")``; holds only ``if_provided`` parameters were sent (empty: always)."""

    condition: Expression
    if_provided: tuple[str, ...] = ()


class EntityAction(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """What the generated actions share: the entity, ``ref`` fields given by the path, filters that restrict the rows."""

    entity: str
    sources: tuple[PathSource, ...] = ()
    filters: tuple[ConditionalFilter, ...] = ()


class ListRows(EntityAction, frozen=True, kw_only=True):
    """A page of rows. ``paginated`` false answers a plain array. ``text_filter``: ``q`` is accepted; ``search``: full text."""

    parameters: tuple[ParameterFilter, ...] = ()
    sort_by: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    page_size: int = 20
    max_page_size: int = 100
    paginated: bool = True
    text_filter: bool = True
    search: bool = False


class GetRow(EntityAction, frozen=True, kw_only=True):
    """One row by its key: ``parameter`` of the path names ``field`` (the primary key or a unique field)."""

    parameter: str
    field: str


class CreateOne(EntityAction, frozen=True, kw_only=True):
    """A new row from the body (and ``values`` of the program, which win); 201 with Location when a get endpoint exists."""

    values: tuple[Entry, ...] = ()
    validations: tuple[Validation, ...] = ()


class ModifyRow(EntityAction, frozen=True, kw_only=True):
    """PATCH: changes the fields that were sent."""

    parameter: str
    field: str
    validations: tuple[Validation, ...] = ()


class ReplaceRow(EntityAction, frozen=True, kw_only=True):
    """PUT: replaces the row; absent writable fields get their default or null unless they are in ``keep``."""

    parameter: str
    field: str
    keep: tuple[str, ...] = ()
    validations: tuple[Validation, ...] = ()


class DeleteOne(EntityAction, frozen=True, kw_only=True):
    """DELETE: soft where the entity declares it; 204."""

    parameter: str
    field: str


class RunBlock(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A ``do`` block, in one transaction. ``writes`` tells whether it contains a write."""

    body: Block
    writes: bool
    isolation: Literal["read committed", "serializable"] = "read committed"
    validations: tuple[Validation, ...] = ()


class Unavailable(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """An endpoint whose operation could not be inferred or needs what this version lacks: 501 with the reason."""

    reason: str


EndpointAction = ListRows | GetRow | CreateOne | ModifyRow | ReplaceRow | DeleteOne | RunBlock | Unavailable


class Verification(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How the sender of an inbound webhook is known; any of ``secrets`` will do, so that they can be rotated.

    ``standard_webhooks`` follows Standard Webhooks 1.0. ``hmac_sha256`` expects the code of the raw body in ``header``, of
    ``<timestamp>.<body>`` where ``timestamp`` names a header (seconds since the epoch); ``id`` names the header that identifies
    a delivery, the code itself does where it is empty. ``tolerance`` in milliseconds.
    """

    scheme: Literal["standard_webhooks", "hmac_sha256"]
    secrets: tuple[Expression, ...]
    header: str = ""
    id: str = ""
    timestamp: str = ""
    tolerance: int = 300_000
    at: int = -1


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A part of a path between slashes: a literal or a parameter."""

    text: str
    parameter: bool = False


class Endpoint(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One operation of the HTTP interface. ``name`` is unique (OpenAPI operationId); ``path`` includes the ``api_prefix``; ``cache`` are
    milliseconds.

    ``on_success`` runs in the transaction of the operation, over the host values ``result`` and ``changes``.
    """

    name: str
    method: Method
    path: tuple[Segment, ...]
    guard: Guard
    inputs: Inputs
    returns: Returns
    action: EndpointAction
    errors: tuple[ErrorAnswer, ...] = ()
    on_success: Block = ()
    verify: Verification | None = None
    timeout_ms: int | None = None
    middleware: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    cache: int | None = None
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    internal: bool = False
    version: str | None = None
    at: int = -1

    @property
    def template(self) -> str:
        """The path with parameters in braces, as logs, metrics and OpenAPI show it."""
        return "/" + "/".join(f"{{{part.text}}}" if part.parameter else part.text for part in self.path)
