"""The first process of a server dies without a farewell: its workers do not go on as a server of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from faultshop import PROGRAM, environment, until

from services.process import ServerProcess


def test_workers_whose_supervisor_was_killed_end(start_server: Callable[..., ServerProcess], tmp_path: Path, postgres: Any) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    server = start_server(tmp_path / "app.cai", env=environment(postgres.create_database(), "http://127.0.0.1:9"))
    assert server.process is not None
    assert until(lambda: len(server.children()) == 2)
    workers = server.children().values()
    server.process.kill()
    server.process.wait(10)
    assert until(lambda: not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)), server.output
    assert until(lambda: server.output.count("supervisor is gone, ending") == 2), server.output
