"""The guides of events and webhooks: each is one program, which validates without a finding and passes its own tests."""

import base64
import datetime
import json
import os
import re
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from services.peer import Peer, Reply
from services.polling import until

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byte").decode()


def program(name: str, folder: Path) -> Path:
    """The program of a guide, with the template it speaks of."""
    text = (GUIDES / f"{name}.md").read_text(encoding="utf-8")
    (folder / "app.cai").write_text("\n".join(re.findall(r"```cai\n(.*?)```", text, re.DOTALL)), encoding="utf-8")
    (folder / "templates").mkdir()
    (folder / "templates" / "cancelled.txt").write_text("Cancelled: {{ reason }}")
    return folder


def codeai(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CODEAI_", "SMTP_", "SLACK_"))}
    return subprocess.run([sys.executable, "-m", "codeai", *arguments], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("name", ["events", "webhooks"])
def test_a_guide_is_a_program_that_passes_its_tests(name: str, tmp_path: Path) -> None:
    folder = program(name, tmp_path)
    checked = codeai("validate", str(folder))
    assert checked.stdout == "valid\n", checked.stdout + checked.stderr
    tested = codeai("test", str(folder))
    assert tested.stdout.endswith("1 passed, 0 failed\n"), tested.stdout + tested.stderr


def test_the_guide_of_webhooks_meets_a_receiver(start_server, tmp_path: Path) -> None:
    with Peer(lambda seen: Reply(204, b"")) as peer:
        server = start_server(
            program("webhooks", tmp_path),
            env={
                "PARTNER_URL": f"{peer.url}/hook",
                "PARTNER_SECRET": SECRET,
                "PAYMENTS_SECRET": SECRET,
                "SHIPPING_SECRET": "shared",
                "CODEAI_OUTBOUND_ALLOW": "127.0.0.1",
                "DATABASE_URL": f"sqlite:///{tmp_path}/data/app.db",
            },
        )
        body = json.dumps({"type": "paid", "data": {"number": "7"}})
        answer = httpx.post(f"{server.base_url}/hooks/payments", content=body, headers=signed(body))
        assert (answer.status_code, answer.json()["detail"]) == (422, "unknown invoice")
        with sqlite3.connect(tmp_path / "data" / "app.db") as database:
            database.execute("INSERT INTO invoices (id, number, total, paid) VALUES (?, '7', 1250, 0)", (str(uuid.uuid4()),))
        answer = httpx.post(f"{server.base_url}/hooks/payments", content=body, headers=signed(body))
        assert answer.status_code == 204, answer.text
        until(lambda: peer.seen, explain=lambda: server.output)
        message = Webhook(SECRET).verify(peer.seen[0].body, peer.seen[0].headers)
        assert (message["type"], message["data"]["number"], message["data"]["total"]) == ("invoice.paid", "7", 12.5)
        assert peer.seen[0].headers["x-source"] == "billing"


def signed(body: str) -> dict[str, str]:
    moment = datetime.datetime.now(datetime.UTC)
    return {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", moment, body),
    }
