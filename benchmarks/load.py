"""Load by wrk: one process, 32 connections, on a core of its own as far as there is one.

Requests are written before the first one is sent, so that what generates the load is not what is measured.
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
_TEMPLATE = """
local paths = {{ {paths} }}
local requests = {{}}
local at = 0
wrk.method = "{method}"
wrk.body = {body}
{headers}
init = function(arguments)
  for number, path in ipairs(paths) do
    local group = math.ceil(number / {pipelined})
    requests[group] = (requests[group] or "") .. wrk.format(nil, path)
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99)))
  for _, kind in ipairs({{"status", "connect", "read", "write", "timeout"}}) do
    if errors[kind] > 0 then io.write(string.format("ERRORS %d %s\\n", errors[kind], kind)) end
  end
end
"""


@dataclass(frozen=True)
class Load:
    """What is asked: a method, paths in turn, headers, a body."""

    paths: tuple[str, ...]
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """Requests per second, percentiles of the answer time in milliseconds, and how many requests that was."""

    rate: float
    p50: float
    p99: float
    requests: int


def measure(load: Load, port: int, seconds: float, core: int, *, pipelined: int = 1) -> Measured:
    """Runs wrk against a server on loopback; an error of any kind ends the benchmark.

    :param pipelined: how many requests are sent at once, a divisor of that of the paths; wrk counts the answers of all
    """
    script = _TEMPLATE.format(
        paths=", ".join(f'"{path}"' for path in load.paths),
        method=load.method,
        pipelined=pipelined,
        body=f"[==[{load.body}]==]" if load.body else "nil",
        headers="\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in load.headers),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "load.lua"
        file.write_text(script)
        command = [
            *("taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "10s"),
            "-s",
            str(file),
            f"http://127.0.0.1:{port}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    requests, duration, p50, p99 = map(int, found.groups())
    errors = re.findall(r"ERRORS (.*)", done.stdout)
    assert not errors, f"of {requests} requests failed: {', '.join(errors)}"
    return Measured(requests / (duration / 1e6), p50 / 1000, p99 / 1000, requests)
