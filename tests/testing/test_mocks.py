"""``mock`` in test blocks: recorded integrations, checked as real ones, and never a real call."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
config { name: "mocks"  default_auth: public }
integration Payments {
    base_url: env(PAYMENTS_URL)
    auth: bearer(secret(PAYMENTS_KEY))
    operation charge {
        method: POST  path: "/charges"
        body { amount: int, required, min(1) }
        returns { id: string, required, at: timestamp, fee: decimal, risk: float }
    }
    operation refund { method: POST  path: "/charges/{id}/refund"  returns json }
}
endpoint POST /charges {
    body { amount: int, required }
    do {
        let made = call Payments.charge { amount: body.amount }
        return { id: made.id, fee: made.fee, risk: made.risk, year: format_date(made.at, "%Y") } status 201
    }
}
event Told { payload { text: string }  publish_to: [slack("#ops")] }
endpoint POST /told {
    body { text: string, required }
    do { emit Told { text: body.text }  send email("a@example.com") { subject: body.text, text: body.text } }
}
endpoint POST /refunds/{id} { do { return call Payments.refund { id: path.id } } }
test "an answer is a value of its type" {
    mock Payments.charge returns { id: "ch_1", at: "2026-11-25T12:00:00Z", fee: 0.10, risk: 0.25 }
    let r = POST /charges { amount: 5 }
    expect r.status == 201
    expect r.body.id == "ch_1"
    expect r.body.year == "2026" and r.body.risk == 0.25
}
test "a failure is the peer's" {
    mock Payments.charge fails { status: 503, body: { reason: "busy" } }
    let r = POST /charges { amount: 5 }
    expect r.status == 503
    expect r.body.code == "peer_error"
}
test "the last mock counts" {
    mock Payments.refund returns { ok: false }
    mock Payments.refund returns { ok: true }
    let r = POST /refunds/7 { }
    expect r.body.ok == true
}
test "arguments are checked" {
    mock Payments.charge returns { id: "ch_1" }
    let r = POST /charges { amount: 0 }
    expect r.status == 422
}
test "calls are known" {
    mock Payments.charge returns { id: "ch_1", at: "2026-11-25T12:00:00Z", fee: 0.10, risk: 0.25 }
    expect calls(Payments.charge) == []
    let r = POST /charges { amount: 5 }
    let s = POST /charges { amount: 7 }
    expect calls(Payments.charge).map(c => c.amount) == [5, 7]
    expect calls(Payments.refund).length == 0
}
test "events and messages are known" {
    let r = POST /told { text: "one" }
    let s = POST /told { text: "two" }
    expect events(Told).map(e => e.text) == ["one", "two"] and events(Told).first().actor is null
    expect messages().filter(m => m.kind == "slack").map(m => m.to) == ["#ops", "#ops"]
    expect messages().filter(m => m.kind == "slack").map(m => m.content.text) == ["one", "two"]
    expect messages().filter(m => m.kind == "email").map(m => "{m.to} {m.content.subject}") == ["a@example.com one", "a@example.com two"]
}
test "BROKEN nothing is mocked" {
    let r = POST /charges { amount: 5 }
    expect r.status == 201
}
"""


def test_mocks_answer_for_integrations_and_what_is_not_mocked_fails_the_test(tmp_path: Path) -> None:
    program = tmp_path / "app.cai"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, "-m", "codeai", "test", str(program)], capture_output=True, text=True, timeout=280)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok", "FAIL"))]
    assert [line.partition(" (")[0] for line in lines] == [
        "ok   an answer is a value of its type",
        "ok   a failure is the peer's",
        "ok   the last mock counts",
        "ok   arguments are checked",
        "ok   calls are known",
        "ok   events and messages are known",
        "FAIL BROKEN nothing is mocked",
    ], done.stdout + done.stderr
    assert "no answer for Payments.charge: write 'mock Payments.charge returns …'" in done.stdout
    assert done.returncode == 1
