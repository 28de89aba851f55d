"""What must not be logged: the secrets of the settings and of the program, by value and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from codeai.model.application import Application
from codeai.observability.logs.redaction import Redaction
from codeai.server.settings import Settings

_OTEL_HEADERS: Final = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


def redaction(application: Application, settings: Settings, environment: Mapping[str, str]) -> Redaction:
    """The redaction of a process that serves the program."""
    fields = (field.name for entity in application.entities for field in entity.fields if field.secret)
    return Redaction(fields, _values(application, settings, environment))


def _values(application: Application, settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    yield from filter(None, (settings.jwt_secret, settings.operator_token, settings.db_password, settings.smtp_password))
    yield from settings.slack_webhook_url.urls
    for name in _OTEL_HEADERS:
        for header in environment.get(name, "").split(","):
            value = unquote(header.partition("=")[2].strip())
            yield from filter(None, (value, value.rpartition(" ")[2]))
    for requirement in application.requirements:
        if requirement.value.secret and environment.get(requirement.value.name):
            yield environment[requirement.value.name]
    for url in (settings.database_url, settings.redis_url):
        yield from passwords(url or "")


def passwords(url: str) -> Iterator[str]:
    """The password in an address, as it stands there and as it is."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
