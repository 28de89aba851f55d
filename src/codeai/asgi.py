"""A program as an ASGI application, to be mounted in any ASGI program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from codeai.http.application import Application
from codeai.language.rendering.concise import concise
from codeai.server.composition import Composition
from codeai.server.database import database_settings, synchronise
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.server.start import with_secret
from codeai.server.wiring.control import program_texts
from codeai.server.wiring.program_settings import program_settings
from codeai.storage.opening import open_database


class InvalidProgram(Exception):
    """The program has errors, or parts that this version cannot execute; the text lists them."""


def create_app(path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Application:
    """The back end of the program at ``path`` (a file or a folder).

    It opens its database in its lifespan. Served by itself it is sent the events; a program that mounts it passes ``app.lifespan`` on, as
    in ``Starlette(routes=[Mount("/shop", app)], lifespan=app.lifespan)``, or awaits ``app.start()`` and ``app.stop()``. Until then each
    request is answered 503 ``not_started``.

    :param environment: the settings, ``os.environ`` by default
    :raises InvalidProgram: the program has errors
    :raises codeai.server.settings.SettingError: a setting is wrong
    """
    given = os.environ if environment is None else environment
    program = load_program(Path(path))
    if not program.valid:
        raise InvalidProgram("\n".join(concise(found, program.sources) for found in program.diagnostics))
    settings = with_secret(read_settings(given, {}, program_settings(program.application, program.sources, given)), program.folder)
    wanted = database_settings(settings, program.folder)
    synchronise(wanted, program.application, development=settings.development)
    values = {**given, **({"JWT_SECRET": settings.jwt_secret} if settings.jwt_secret else {})}
    database = open_database(wanted)
    return Composition(program.application, settings, database, values, folder=program.folder, texts=program_texts(program)).asgi
