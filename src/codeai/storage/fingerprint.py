"""A short text that changes whenever the tables of a program have to change; comparing it needs no schema library."""

from __future__ import annotations

import hashlib

import msgspec

from codeai.model.application import Application
from codeai.storage.schema.system import SYSTEM_TABLES

FORMAT = 2


def fingerprint(application: Application) -> str:
    """SHA-256 over what the schema is made of: fields, indexes, checks and keys of all entities, and the tables of ours."""
    parts: list[object] = [FORMAT, SYSTEM_TABLES]
    for entity in sorted(application.entities, key=lambda entity: entity.table):
        parts.append(
            [
                entity.table,
                entity.primary,
                entity.audited,
                [
                    [
                        field.name,
                        field.stored_type,
                        field.type,
                        field.nullable,
                        field.unique,
                        field.auto,
                        field.searchable,
                        field.on_delete,
                        field.constraints,
                        *([field.rename_from] if field.rename_from else []),
                    ]
                    for field in entity.fields
                ],
                [[index.name, index.columns, index.unique] for index in entity.indexes],
                [[check.name, check.source] for check in entity.checks],
            ]
        )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
