"""TLS for servers of tests, with a certificate for 'localhost' that is signed by itself."""

import shutil
import subprocess
from pathlib import Path

from services.postgres import PostgresServer

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
_OF = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")


def speak_tls(server: PostgresServer, entrances: str) -> Path:
    """Has a server speak TLS and begin again; who may come in says the text of its ``pg_hba.conf``. Returns its certificate."""
    data = server.folder / "data"
    (data / "pg_hba.conf").write_text(entrances)
    (data / "postgresql.auto.conf").write_text("ssl = on\n")
    key, certificate = data / "server.key", data / "server.crt"
    made = ["openssl", "req", "-x509", "-nodes", *_EC, *_OF, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    for file in (key, certificate):
        shutil.copymode(data / "PG_VERSION", file)
        shutil.chown(file, data.owner(), data.group())
    server.restart()
    return certificate
