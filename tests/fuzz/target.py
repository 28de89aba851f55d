"""The coverage-guided fuzzer (atheris) on one of its targets: ``target.py NAME FOLDER [arguments of libFuzzer]``.

FOLDER holds what it goes on from; it is filled with the seeds of the target when it is empty. ``make fuzz`` runs all of them,
continuous integration all but ``format``, which looks for what the printer of the formatter gets wrong.
"""

import importlib
import random
import sys
from pathlib import Path

import atheris

BY_BYTES = 0.3  # how many of the changes of programs are by bytes

# Where each target lives, and what guides it.
TARGETS = {
    "program": ("fuzz.texts", ["codeai.language"]),
    "format": ("fuzz.texts", ["codeai.language"]),
    "query": ("fuzz.texts", ["codeai.language"]),
    "http": ("fuzz.exchanges", ["codeai.http", "codeai.query", "services.service"]),
    "token": ("fuzz.proofs", ["codeai.auth", "jwt"]),
    "connection": ("fuzz.connections", ["codeai.http.wire"]),
    "signature": ("fuzz.proofs", ["codeai.events.signatures"]),
}


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Changes a program by tokens, or by bytes as libFuzzer does."""
    mutating = importlib.import_module("fuzz.mutating")
    choose = random.Random(seed)
    if choose.random() < BY_BYTES:
        return bytes(atheris.Mutate(data, longest))
    text = data.decode("utf-8", "replace")
    return str(mutating.mutated(mutating.tokens_of(text)[: mutating.LONGEST], choose)).encode()[:longest]


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
    if name in ("program", "format"):
        atheris.Setup([sys.argv[0], *sys.argv[3:], str(folder)], check, custom_mutator=mutate)
    else:
        atheris.Setup([sys.argv[0], *sys.argv[3:], str(folder)], check)
    atheris.Fuzz()
