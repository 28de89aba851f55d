"""A Redis server of the tests' own."""

import shutil
import signal
import subprocess
import tempfile
import time

from services.ports import free_port


class RedisServer:
    """Starts and stops a server without persistence."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="codeai-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True, check=False).stdout.strip() != b"PONG":
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server."""
        self.resume()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def pause(self) -> None:
        """Lets the server hang: it keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after ``pause``."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the server without any farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def cli(self, *words: str) -> str:
        """What redis-cli prints for a command."""
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(self.port), *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def remove(self) -> None:
        """Ends the server and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
