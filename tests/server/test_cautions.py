"""What a start warns of."""

import pytest

from codeai.limits.mapped import MappedLimits
from codeai.limits.stores import LocalLimits, wall_clock
from codeai.server.cautions import cautions
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.server.wiring.sharing import _counting

TENANTS = """
entity Invoice { id: uuid, primary, auto  org: string  total: int  traits: [tenant(org)] }
"""
PEER = """
integration Peer { base_url: "https://peer.example"  operation ask { method: GET  path: "/"  returns: json } }
"""
PLAIN = "entity A { id: uuid, primary, auto }"


@pytest.mark.parametrize(
    ("text", "environment", "told"),
    [
        (PLAIN, {}, []),
        (TENANTS, {}, ["CODEAI_OPERATOR_ROLE"]),
        (TENANTS, {"CODEAI_OPERATOR_ROLE": "site_operator"}, []),
        (PLAIN, {"HTTPS_PROXY": "http://proxy:3128"}, []),
        (PEER, {"HTTPS_PROXY": "http://proxy:3128"}, ["HTTPS_PROXY set and not used"]),
        (PEER, {"https_proxy": "http://proxy:3128", "ALL_PROXY": "socks5://proxy"}, ["HTTPS_PROXY and ALL_PROXY set"]),
        (PEER, {"NO_PROXY": "*"}, []),
        (PLAIN, {"JWT_JWKS_URL": "https://idp.example/keys", "HTTP_PROXY": "http://proxy"}, ["HTTP_PROXY set"]),
        (TENANTS + PEER, {"HTTP_PROXY": "http://proxy"}, ["CODEAI_OPERATOR_ROLE", "HTTP_PROXY set"]),
        (PLAIN, {"CODEAI_WORKERS": "4"}, []),
        (PLAIN, {"JWT_SECRET": "short"}, ["JWT_SECRET is shorter than 32 bytes"]),
        (PLAIN, {"JWT_SECRET": "x" * 32}, []),
    ],
    ids=range(12),
)
def test_a_start_warns_of_what_may_surprise(tmp_path, text, environment, told):
    (tmp_path / "app.cai").write_text(text)
    program = load_program(tmp_path / "app.cai")
    assert program.valid, program.diagnostics
    found = list(cautions(program.application, read_settings(environment, {}), environment))
    assert len(found) == len(told)
    for text_found, wanted in zip(found, told, strict=True):
        assert wanted in text_found


LIMITED = """
endpoint GET /a { auth: public  rate_limit: 3 per 1m by ip  do { return { ok: true } } }
"""
SENDING = """
integration Peer { base_url: "https://peer.example"  rate_limit: 3 per 1m  operation ask { method: GET  path: "/"  returns: json } }
"""


@pytest.mark.parametrize(("text", "together"), [(LIMITED, True), (SENDING, True), (PLAIN, False)])
def test_processes_count_together_what_a_program_limits(tmp_path, text, together):
    (tmp_path / "app.cai").write_text(text)
    application = load_program(tmp_path / "app.cai").application
    assert isinstance(_counting(application, wall_clock, tmp_path), MappedLimits) == together
    assert (tmp_path / "limits").exists() == together
    assert isinstance(_counting(application, wall_clock, None), LocalLimits)


def test_where_there_is_no_room_for_common_counts_each_counts_for_itself_which_is_said(tmp_path, caplog):
    (tmp_path / "app.cai").write_text(LIMITED)
    application = load_program(tmp_path / "app.cai").application
    assert isinstance(_counting(application, wall_clock, tmp_path / "gone"), LocalLimits)
    (record,) = [found for found in caplog.records if found.msg == "limits are counted by each process for itself"]
    assert record.__dict__["cause"] == "No such file or directory"
