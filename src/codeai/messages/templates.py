"""Templates of messages: Jinja files in ``templates/`` beside the program, sandboxed, with HTML escaped.

``template: "shipped"`` stands for the files there are of ``shipped.subject.txt``, ``shipped.txt`` and ``shipped.html``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_LONGEST: Final = 1_000_000  # characters of a rendered part
FOLDER: Final = "templates"


class TemplateFailed(Exception):
    """A template that is not there, is not well formed, or asks for what the data does not have."""


class Rendered(msgspec.Struct, frozen=True):
    """The parts of a message that a template gives; '' for those it has no file for."""

    subject: str = ""
    text: str = ""
    html: str = ""


class Templates:
    """The templates of one program.

    :param folder: where the program lies
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    @cached_property
    def _environment(self) -> ImmutableSandboxedEnvironment:
        import jinja2  # only where there are templates: it takes a tenth of a start
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        return ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(self._folder),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            keep_trailing_newline=False,
        )

    def exists(self, name: str) -> bool:
        """Whether there is any file of a template."""
        if not _NAME.fullmatch(name) or ".." in name:
            return False
        return any((self._folder / f"{name}{ending}").is_file() for ending in (".txt", ".html"))

    def check(self, name: str) -> None:
        """Reads and compiles a template, so that a broken one stops the start; raises TemplateFailed."""
        if not self.exists(name):
            raise TemplateFailed(f"there is no template '{name}' in {FOLDER}/ (neither {name}.txt nor {name}.html)")
        for ending in (".subject.txt", ".txt", ".html"):
            self._template(name + ending)

    def render(self, name: str, data: Mapping[str, Any]) -> Rendered:
        """The parts of a message; raises TemplateFailed."""
        if not self.exists(name):
            raise TemplateFailed(f"there is no template '{name}' in {FOLDER}/")
        subject = " ".join(self._rendered(f"{name}.subject.txt", data).split())
        return Rendered(subject, self._rendered(f"{name}.txt", data), self._rendered(f"{name}.html", data))

    def _template(self, file: str) -> jinja2.Template | None:
        import jinja2

        try:
            return self._environment.get_template(file)
        except jinja2.TemplateNotFound as error:
            if error.name == file:
                return None
            raise TemplateFailed(f"template '{file}' asks for '{error.name}', which is not there") from error
        except jinja2.TemplateSyntaxError as error:
            raise TemplateFailed(f"template '{error.filename or file}', line {error.lineno}: {error.message}") from error
        except (UnicodeDecodeError, OSError) as error:
            raise TemplateFailed(f"template '{file}' cannot be read: {error}") from error

    def _rendered(self, file: str, data: Mapping[str, Any]) -> str:
        template = self._template(file)
        if template is None:
            return ""
        from jinja2 import TemplateError

        parts: list[str] = []
        size = 0
        try:
            for part in template.generate(data):
                size += len(part)
                if size > _LONGEST:
                    raise TemplateFailed(f"template '{file}' gives more than {_LONGEST:,} characters")
                parts.append(part)
        except TemplateError as error:
            raise TemplateFailed(f"template '{file}': {error.message or type(error).__name__}") from error
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise TemplateFailed(f"template '{file}': {error or type(error).__name__}") from error
        return "".join(parts)
