"""docs/operations/faults.md as a list of claims: what is quoted there must have been seen on a server that had the fault."""

import re
import time
from pathlib import Path

import httpx

from services.process import ServerProcess

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "faults.md"
COLUMNS = ("answers", "health", "metrics", "log")


def rows() -> dict[str, dict[str, str]]:
    """The cells of each fault by their columns."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {fault: dict(zip(COLUMNS, rest, strict=True)) for fault, *rest in cells}


class Observed:
    """What a server has shown while it had a fault.

    :param log: the file that it logs to, where that is not what it prints
    """

    def __init__(self, server: ServerProcess, headers: dict[str, str] | None = None, log: Path | None = None) -> None:
        self._server = server
        self._log = log
        self._client = httpx.Client(base_url=server.base_url, timeout=60)
        self._headers = headers
        self._answers: list[str] = []
        self._health: list[str] = []
        self._metrics = ""

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """Sends a request as a client would, and notes its answer."""
        answer = self._client.request(method, path, **options)  # type: ignore[arg-type]  # passed on
        self._answers.append(f"{answer.status_code}\n{answer.headers}\n{answer.text}")
        return answer

    def got(self, status: int, text: str) -> None:
        """Notes an answer that came in another way."""
        self._answers.append(f"{status}\n{text}")

    def look(self) -> "httpx.Response":
        """Notes what health and metrics say now; returns the health."""
        found = self._client.get("/health", headers=self._headers)
        self._health.append(f"health {found.status_code} {found.text}")
        for name in ("ready", "live"):
            self._health.append(f"{name} {self._client.get(f'/health/{name}').status_code}")
        self._metrics += self._client.get("/metrics", headers=self._headers).text
        return found

    def shows(self, fault: str) -> None:
        """Holds what was seen against the line of the page: each quoted word was there, each status was answered."""
        row = rows()[fault]
        answers, health = "\n".join(self._answers).lower(), "\n".join(self._health)
        for status in re.findall(r"\b[2-5]\d\d\b", re.sub(r"`[^`]*`", "", row["answers"])):
            assert any(answer.startswith(status) for answer in self._answers), (fault, status)
        for quoted in _quoted(row["answers"]):
            assert quoted.lower() in answers, (fault, quoted)
        for quoted in _quoted(row["health"]):
            assert quoted in health, (fault, quoted, health)
        for quoted in _quoted(row["metrics"]):
            assert self._measured(quoted), (fault, quoted)
        for quoted in _quoted(row["log"]):
            deadline = time.monotonic() + 60  # lines are written by a thread of their own
            while quoted not in self._logged():
                assert time.monotonic() < deadline, (fault, quoted, self._logged()[-3000:])
                time.sleep(0.05)

    def _logged(self) -> str:
        return self._log.read_text(errors="replace") if self._log is not None else self._server.output

    def _measured(self, quoted: str) -> bool:
        """Whether a metric was there with these labels among others, and above zero (or of the value that is quoted)."""
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})?(?: (\S+))?", quoted).groups()  # type: ignore[union-attr]  # the page's form
        for line in self._metrics.splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and set((labels or "").split(",")) - {""} <= set((found[1] or "").split(",")):
                if float(found[2]) == float(value) if value else float(found[2]) > 0:
                    return True
        return False


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell.replace("\\|", "|"))
