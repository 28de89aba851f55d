"""What ``codeai test`` tells beside a failed expectation: both sides, the refusal before it, what failed in the background."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
config { name: "told"  default_auth: public }
entity Part { id: uuid, primary, auto  n: int, required, max(5) }
event Wanted { payload { n: int } }
on Wanted { create Part { n: event.n } }
job Hourly { schedule: every 1h  do { create Part { n: 4 + 5 } } }
workflow Made { trigger: manual  input { n: int, required }  steps { one { do { create Part { n: input.n } } } } }
resource Part at /parts { auth: public }
test "refused" {
    let r = POST /parts { n: 7 }
    expect r.body.n == 7
}
test "answered since" {
    POST /parts { n: 7 }
    POST /parts { n: 3 }
    expect count(Part) == 2 or false
}
test "handler" {
    emit Wanted { n: 6 }
    expect 1 == 1 and count(Part) == 1
}
test "runs" {
    start Made { n: 8 }
    advance 1h
    expect count(Part) == 2
}
"""


def test_a_failed_expectation_comes_with_what_may_explain_it(tmp_path: Path) -> None:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, "-m", "codeai", "test", str(program)], capture_output=True, text=True, timeout=280)
    told = {text.split(" (")[0].removeprefix("FAIL "): text.splitlines()[2:] for text in done.stdout.split("FAIL")[1:]}
    told = {name.strip(): [line.strip() for line in lines if line.startswith("    ")] for name, lines in told.items()}
    assert told == {
        "refused": [
            "expect r.body.n == 7",
            "left   null",
            "right  7",
            "answer 422 to POST /parts: the request has invalid values, n must be at most 5",
        ],
        "answered since": ["expect count(Part) == 2 or false"],
        "handler": [
            "expect 1 == 1 and count(Part) == 1",
            "left   0",
            "right  1",
            "handler wanted#1 is pending: n: must be at most 5",
        ],
        "runs": [
            "expect count(Part) == 2",
            "left   0",
            "right  2",
            "workflow Made is failed: n: must be at most 5",
            "job Hourly is failed: n: must be at most 5",
        ],
    }, done.stdout
