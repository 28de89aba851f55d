"""What agents read: the language on one page, the manual, and what each finding means."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from codeai.language.codes import codes, entry
from codeai.language.suggestions import suggest
from codeai.mcp.programs import Unusable


def overview() -> str:
    """The whole language in at most 4,000 tokens."""
    return (files("codeai.http.pages") / "static" / "llms.md").read_text(encoding="utf-8")


def pages() -> tuple[str, ...]:
    """The names of the manual's pages on the language, without the one that leads to them."""
    names = (page.name.removesuffix(".md") for page in _folder().iterdir() if page.name.endswith(".md"))
    return tuple(sorted(name for name in names if name != "README"))


def page(name: str) -> str:
    """A page of the manual.

    :raises Unusable: there is none of that name
    """
    wanted, known = name.strip().lower().removesuffix(".md"), pages()
    if wanted not in known:
        wanted = next((one for one in known if one in (wanted + "s", wanted.removesuffix("s"))), wanted)
    if wanted not in known:
        near = suggest(wanted, known)
        raise Unusable(f"the manual has no page '{name}'" + (f"; did you mean '{near}'?" if near else f"; it has {', '.join(known)}"))
    return (_folder() / f"{wanted}.md").read_text(encoding="utf-8")


def explanation(code: str) -> str:
    """What a code of a finding means, with a wrong and a right sample.

    :raises Unusable: there is no such code
    """
    wanted = code.strip().upper()
    found = entry(wanted)
    if found is None:
        near = suggest(wanted, codes())
        raise Unusable(f"there is no code '{code}'" + (f"; did you mean '{near}'?" if near else "; findings have one, as CAI0102"))
    samples = [(name, text) for name, text in (("Wrong", found.wrong), ("Right", found.right)) if text]
    parts = [f"# {found.code}: {found.title}", f"{found.kind}, {found.severity}", found.text]
    return "\n\n".join(parts + [f"{name}:\n\n```cai\n{text.rstrip()}\n```" for name, text in samples])


def _folder() -> Traversable:
    """The pages are in the package; in a checkout they are where they are written."""
    packaged = files("codeai") / "manual"
    return packaged if packaged.is_dir() else Path(str(files("codeai"))).parents[1] / "docs" / "language"
