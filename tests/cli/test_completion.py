"""``codeai completion`` in the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.main import cli


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["va"], ["validate"]),
        (["jobs", "q"], ["queue", "queues"]),
        (["jobs", "list", "--st"], ["--status"]),
        (["jobs", "list", "--status", "c"], ["completed", "cancelled"]),
        (["xyz"], []),
    ],
)
def test_bash_completes(words: list[str], expected: list[str]) -> None:
    script = f"""
        source <(codeai completion bash)
        COMP_WORDS=(codeai {" ".join(repr(word) for word in words)}) COMP_CWORD={len(words)}
        _codeai_completion codeai
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([shutil.which("bash"), "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout.split(), done.stderr) == (expected, "")


@pytest.mark.parametrize(("shell", "said"), [("zsh", "#compdef codeai"), ("fish", "complete --no-files --command codeai")])
def test_other_shells_have_scripts_of_their_own(shell: str, said: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert (done.exit_code, said in done.output, "_CODEAI_COMPLETE" in done.output) == (0, True, True)


def test_a_shell_that_is_not_known_is_refused() -> None:
    done = CliRunner().invoke(cli, ["completion", "cmd"])
    assert (done.exit_code, "'bash', 'zsh', 'fish'" in done.output) == (2, True), done.output
