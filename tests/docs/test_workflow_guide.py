"""The guide of workflows is one program, which validates without a finding and passes its own tests."""

import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "workflows.md"


def test_the_guide_is_a_program_that_passes_its_tests(tmp_path: Path) -> None:
    blocks = re.findall(r"```cai\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "app.cai").write_text("\n".join(blocks), "utf-8")
    for command, last in (("validate", "valid"), ("test", "3 passed, 0 failed")):
        done = subprocess.run([sys.executable, "-m", "codeai", command, str(tmp_path)], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == last, done.stdout + done.stderr
