"""The servers that are compared: ours, the floor and the peers, each one process on one core."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
from machine import processor

from services.ports import free_port

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
SECRET = "a secret for benchmarks that is long enough"
PROGRAM = HERE / "programs" / "blog.cai"


class Server:
    """One server process; ``port`` is where it answers."""

    def __init__(self, name: str, url: str, core: int | None, *, program: Path = PROGRAM) -> None:
        self.name = name
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        environment = {**os.environ, "DATABASE_URL": url, "JWT_SECRET": SECRET, "LOG_LEVEL": "error", "CODEAI_ENV": "development"}
        pin = ["taskset", "-c", str(core)] if core is not None else []
        self.log = (Path(self.folder.name) / "log").open("w+")
        self.started = time.monotonic()
        self.process = subprocess.Popen([*pin, *self._command(name, program)], env=environment, cwd=HERE, stdout=self.log, stderr=self.log)

    def _command(self, name: str, program: Path) -> list[str]:
        port = str(self.port)
        if name == "ours":
            return [str(BIN / "codeai"), "server", str(program), "--port", port, "--workers", "1"]
        if name == "fastapi":
            return [*(str(BIN / "uvicorn"), "peers.fastapi_app:app", "--port", port), "--no-access-log", "--log-level", "warning"]
        module = {"floor": "peers.floor:app", "floor_sqlite": "peers.floor_sqlite:app", "litestar": "peers.litestar_app:app"}[name]
        return [str(BIN / "granian"), "--interface", "asgi", "--port", port, "--loop", "uvloop", "--no-log", module]

    def wait(self, path: str) -> float:
        """Waits for the first good answer; the seconds since the start."""
        while time.monotonic() - self.started < 60:
            assert self.process.poll() is None, self._output()
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).status_code < 500:
                    return time.monotonic() - self.started
            except httpx.TransportError:
                time.sleep(0.01)
        raise TimeoutError(self._output())

    def _output(self) -> str:
        self.log.seek(0)
        return f"{self.name}: {self.log.read()[-3000:]}"

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def memory(self) -> float:
        """The largest resident memory of one of its processes, in MB."""
        return max(process.memory_info().rss for process in self._processes()) / 1e6

    def processor(self) -> float:
        """The processor time that its processes have used so far, in seconds."""
        return processor(psutil.Process(self.process.pid))

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        self.folder.cleanup()
