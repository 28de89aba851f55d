"""Files that a program names and that lie beside it: templates of messages and middleware in Python, checked with the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codeai.functions.checking import FunctionProblem
from codeai.language import types as t
from codeai.messages.templates import TemplateFailed, Templates
from codeai.model import expression as ir
from codeai.model import statement as s
from codeai.model.application import Application
from codeai.model.storing import parts


def missing_files(application: Application, folder: Path) -> Iterator[FunctionProblem]:
    """What is wrong with the templates and the middleware of a program.

    :param folder: the folder of the program
    """
    templates = Templates(folder)
    bodies = (application.endpoints, application.functions, application.handlers, application.workflows, application.jobs)
    for part in parts(bodies, without=(ir.Expression, t.Type)):  # no message is sent in them
        if isinstance(part, s.Send):
            for entry in part.values:
                if entry.name == "template" and isinstance(entry.value, ir.Constant):
                    try:
                        templates.check(str(entry.value.value))
                    except TemplateFailed as error:
                        yield FunctionProblem(str(error), entry.value.at, missing=not templates.exists(str(entry.value.value)))
    for model in application.middleware:
        for setting in model.settings if model.kind == "python" else ():
            if isinstance(setting.value, ir.Constant) and setting.name in ("function", "source"):
                yield from _hook(folder, str(setting.value.value), setting.value.at)


def _hook(folder: Path, name: str, at: int) -> Iterator[FunctionProblem]:
    file = Path("middleware", *name.split(".")[:-1]).with_suffix(".py")
    if not (folder / file).is_file():
        yield FunctionProblem(f"there is no '{file}' for '{name}'", at, missing=True)
        return
    from codeai.http.middleware.clients import ClientAddresses  # here, since small commands load nothing of a server
    from codeai.http.middleware.python import BadHook, PythonMiddleware

    try:
        PythonMiddleware(folder, name, ClientAddresses(()))
    except BadHook as error:
        yield FunctionProblem(str(error), at)
