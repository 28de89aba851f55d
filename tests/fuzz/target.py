"""The coverage-guided fuzzer (atheris) on one of its targets: ``target.py NAME FOLDER [arguments of libFuzzer]``.

FOLDER holds what it goes on from; it is filled with the seeds of the target when it is empty. ``make fuzz`` runs all of them.
"""

import importlib
import sys
from pathlib import Path

import atheris

# Where each target lives, and what guides it.
TARGETS = {
    "program": ("fuzz.texts", ["codeai.language"]),
    "format": ("fuzz.texts", ["codeai.language"]),  # the same trees: more than the bar asks, for ``make fuzz``
    "query": ("fuzz.texts", ["codeai.language"]),
    "http": ("fuzz.exchanges", ["codeai.http", "codeai.query", "services.service"]),
    "token": ("fuzz.proofs", ["codeai.auth", "jwt"]),
    "connection": ("fuzz.connections", ["codeai.http.wire"]),
    "signature": ("fuzz.proofs", ["codeai.events.signatures"]),
}

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]
    name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for at, seed in enumerate(importlib.import_module("fuzz.seeds").seeds(name)):
            (folder / f"seed{at}").write_bytes(seed)
    module, guiding = TARGETS[name]
    with atheris.instrument_imports(include=guiding):
        check = getattr(importlib.import_module(module), f"fuzz_{name}")
    atheris.Setup([sys.argv[0], *sys.argv[3:], str(folder)], check)
    atheris.Fuzz()
