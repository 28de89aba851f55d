"""Starts servers in forks of one process: reads cases as lines of JSON, answers with the exit code and what was said."""

import json
import os
import sys
import tempfile
from pathlib import Path

from codeai.server.start import serve


def outcome(case: dict) -> dict:
    with tempfile.TemporaryFile("w+b") as said:
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.dup2(said.fileno(), 2)
                os.dup2(said.fileno(), 1)
                sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115  # lives as long as the process
                os.chdir(case["folder"])
                os.environ.update(case["env"])
                code = serve(Path("app.cai"), case["flags"])
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        said.seek(0)
        return {"returncode": os.waitstatus_to_exitcode(status), "stderr": said.read().decode(errors="replace")}


if __name__ == "__main__":  # the processes that bring databases up to date import this file
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)
