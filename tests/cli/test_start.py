"""What a command imports: the start of a process is mostly imports, so that each command takes only what it needs."""

import subprocess
import sys

import pytest

HEAVY = (
    "sqlalchemy",
    "alembic",
    "starlette",
    "granian",
    "httpx",
    "rich",
    "structlog",
    "asyncpg",
    "jwt",
    "watchfiles",
    "asyncio",
    "pygls",
    "attrs",
)


def imported(*arguments: str) -> set[str]:
    code = (
        "import sys, atexit; sys.argv = ['codeai', *sys.argv[1:]];"
        "atexit.register(lambda: print('IMPORTED', *sys.modules));"
        "from codeai.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, input="")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("IMPORTED", 1)[1].split())


@pytest.mark.parametrize("arguments", [["version"], ["validate", "-"], ["explain", "CAI0101"], ["fmt", "-"]])
def test_a_small_command_imports_nothing_of_a_server(arguments: list[str]) -> None:
    assert [name for name in HEAVY if name in imported(*arguments)] == []


def test_the_version_needs_no_more_than_the_command_line() -> None:
    found = imported("version")
    assert [name for name in found if name.startswith("codeai.") and not name.startswith("codeai.cli")] == []
    assert "msgspec" not in found
