"""The support bundle: one archive with what a bug report needs (acceptance S138), without secrets."""

from __future__ import annotations

import datetime
import io
import os
import platform
import sys
import tarfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx
import msgspec

from codeai import __version__
from codeai.observability.logs.redaction import Redaction
from codeai.storage.causes import cause_of

_TIMEOUT: Final = 20.0
_PAGES: Final = {
    "health.json": "/health",
    "metrics.txt": "/metrics",
    "goroutines.txt": "/debug/pprof/goroutine?debug=2",
    "heap.pb.gz": "/debug/pprof/heap?trace=false",
    "executions.json": "/api/v1/executions?status=failed&limit=20",
    "dead-letters.json": "/api/v1/dead-letters?limit=20",
    "integrations.json": "/api/v1/integrations",
}


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What to collect. ``texts`` are files by name that were made elsewhere, ``secrets`` texts that must not appear."""

    url: str
    token: str | None
    logs: Path
    lines: int
    texts: Mapping[str, str]
    secrets: tuple[str, ...] = ()


def write_bundle(bundle: Bundle, path: Path | None) -> tuple[Path, list[str]]:
    """Writes the archive; returns where, and what could not be had.

    :raises OSError: the archive cannot be written
    """
    name = f"codeai-diagnostics-{datetime.datetime.now(datetime.UTC):%Y%m%d_%H%M%S}"
    target = path or Path(f"{name}.tar.gz")
    files, missing = _collected(bundle)
    # Logs and inputs are nobody else's business, whatever is masked in them.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for inside, content in files.items():
            entry = tarfile.TarInfo(f"{name}/{inside}")
            entry.size = len(content)
            entry.mtime = int(datetime.datetime.now(datetime.UTC).timestamp())
            entry.mode = 0o600
            archive.addfile(entry, io.BytesIO(content))
    return target, missing


def _collected(bundle: Bundle) -> tuple[dict[str, bytes], list[str]]:
    redaction = Redaction(values=bundle.secrets)
    own = {"version.txt": _versions(), "system-info.txt": _system(), "recent-logs.txt": _recent(bundle.logs, bundle.lines)}
    texts = {**own, **bundle.texts}
    files = {name: redaction.text(text).encode("utf-8", "backslashreplace") for name, text in texts.items()}
    missing: list[str] = []
    headers = {"Authorization": f"Bearer {bundle.token}"} if bundle.token else {}
    # Only this machine's own server is meant: no proxy of the environment stands between.
    with httpx.Client(base_url=bundle.url, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
        for name, page in _PAGES.items():
            try:
                answer = client.get(page)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                missing.append(f"{name}: {bundle.url}{page} did not answer: {cause_of(error)}")
                continue
            if answer.status_code not in (200, 503):
                missing.append(f"{name}: {page} answered {answer.status_code}")
                continue
            binary = name.endswith(".gz")
            files[name] = answer.content if binary else redaction.text(answer.text).encode("utf-8", "backslashreplace")
    if missing:
        files["missing.txt"] = ("\n".join(missing) + "\n").encode()
    return files, missing


def _versions() -> str:
    return f"codeai {__version__}\nPython {platform.python_version()}\n{platform.system()} {platform.machine()}\n"


def _system() -> str:
    lines = [f"OS: {platform.platform()}", f"Processors: {os.cpu_count()}", f"Python: {sys.version}", f"Executable: {sys.executable}"]
    for file in ("/proc/meminfo", "/proc/loadavg"):
        try:
            lines.append("".join(Path(file).read_text(encoding="ascii").splitlines(keepends=True)[:5]))
        except OSError:
            continue
    return "\n".join(lines) + "\n"


def _recent(path: Path, lines: int) -> str:
    try:
        with path.open(encoding="utf-8", errors="backslashreplace") as file:
            return "".join(deque(file, lines))
    except OSError as error:
        return f"Log file not found: {path}: {error.strerror}\n"
