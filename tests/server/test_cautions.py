"""What a start warns of."""

import pytest

from codeai.server.cautions import cautions
from codeai.server.loading import load_program
from codeai.server.settings import read_settings

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
    ],
    ids=range(10),
)
def test_a_start_warns_of_what_may_surprise(tmp_path, text, environment, told):
    (tmp_path / "app.cai").write_text(text)
    program = load_program(tmp_path / "app.cai")
    assert program.valid, program.diagnostics
    found = list(cautions(program.application, read_settings(environment, {}), environment))
    assert len(found) == len(told)
    for text_found, wanted in zip(found, told, strict=True):
        assert wanted in text_found
