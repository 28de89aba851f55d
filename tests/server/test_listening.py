"""Where a server listens: what is said of places and certificates that cannot be used, and how many connections a process may have."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.server.listening import AddressInUse, Place, bind, check, main_place
from codeai.server.settings import SettingError, Settings

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


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys that fit, that do not, and what is neither."""
    folder = tmp_path_factory.mktemp("pem")
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout {0}.key -out {0}.crt"
    encrypted = "openssl pkey -in one.key -aes256 -passout pass:x -out encrypted.key"
    for command in (made.format("one"), made.format("other"), encrypted):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    (folder / "text").write_text("nothing of the kind")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (
            "one.crt",
            "other.key",
            "CODEAI_TLS_KEY: other.key is not the key of one.crt; the server's own certificate must come first in its file",
        ),
        ("gone.crt", "one.key", "CODEAI_TLS_CERT: cannot read gone.crt: No such file or directory"),
        ("one.crt", "gone.key", "CODEAI_TLS_KEY: cannot read gone.key: No such file or directory"),
        (".", "one.key", "CODEAI_TLS_CERT: cannot read .: Is a directory"),
        ("text", "one.key", "CODEAI_TLS_CERT: text holds no certificate in PEM form (a text with '-----BEGIN CERTIFICATE-----' in it)"),
        (
            "one.key",
            "one.key",
            "CODEAI_TLS_CERT: one.key holds no certificate in PEM form (a text with '-----BEGIN CERTIFICATE-----' in it)",
        ),
        ("one.crt", "one.crt", "CODEAI_TLS_KEY: one.crt holds no private key in PEM form (a text with 'PRIVATE KEY-----' in it)"),
        (
            "one.crt",
            "encrypted.key",
            "CODEAI_TLS_KEY: encrypted.key is encrypted, and nobody is there to type its pass phrase: 'openssl pkey -in encrypted.key",
        ),
    ],
)
def test_a_certificate_that_cannot_be_used_is_said_with_the_file_at_fault(
    files: Path, monkeypatch: pytest.MonkeyPatch, certificate: str, key: str, said: str
) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(SettingError) as found:
        main_place(Settings(tls_cert=certificate, tls_key=key), {})
    assert str(found.value).startswith(said)


def test_one_that_fits_is_taken(files: Path) -> None:
    assert main_place(Settings(tls_cert=str(files / "one.crt"), tls_key=str(files / "one.key")), {}).tls is not None


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.1", "this machine has no such address: choose another with --host or CODEAI_HOST"),
        ("nohost.invalid", "is the host spelled right? --host or CODEAI_HOST say where"),
    ],
)
def test_an_address_where_nobody_may_listen_is_said_with_what_to_change(host: str, said: str) -> None:
    with pytest.raises(AddressInUse, match=f"^cannot listen on {host}:8080: ") as found:
        check(Place(host, 8080))
    assert said in str(found.value)


def test_a_port_that_is_taken_names_the_setting_that_chose_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(AddressInUse, match=r"choose another port with --operator-port or CODEAI_OPERATOR_PORT$"),
    ):
        check(Place("127.0.0.1", taken.getsockname()[1]), "--operator-port")


def test_a_socket_whose_folder_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(AddressInUse, match=r"make its folder first, or choose another path with --socket or CODEAI_SOCKET$"):
        bind(str(tmp_path / "gone" / "app.sock"))
