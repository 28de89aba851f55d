"""How many connections a process may have: the soft limit of open files is raised, for it is often a thousand."""

import subprocess
import sys

import pytest

ASK = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from codeai.server.listening import most_files
print(most_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("soft", "hard", "expected"), [(100, 300, 300), (300, 300, 300)])
def test_as_many_files_as_are_allowed_are_asked_for(soft: int, hard: int, expected: int) -> None:
    done = subprocess.run([sys.executable, "-c", ASK.format(soft=soft, hard=hard)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(expected)] * 2
