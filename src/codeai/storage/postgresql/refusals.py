"""What to say of a connection that could not be had: the driver's words, and the next step for the operator."""

from __future__ import annotations

import shlex
import socket
import ssl
from typing import Final

from asyncpg import exceptions as pg

from codeai.storage import errors
from codeai.storage.causes import cause_of
from codeai.storage.settings import DatabaseSettings

_WHERE: Final = "DATABASE_URL or DB_HOST say where"
_MODE: Final = "in DATABASE_URL or DB_SSL_MODE"
_NO_MATCH: Final = (62, 64)  # OpenSSL's numbers for a certificate of another host, or of another address


def refused(wanted: DatabaseSettings, error: BaseException) -> errors.DatabaseUnavailable:
    """The error for one of the driver, in one line."""
    kind = errors.TooManyClients if isinstance(error, pg.TooManyConnectionsError) else errors.DatabaseUnavailable
    said = cause_of(error).partition("\n")[0] if str(error) else _silent(wanted, error)
    step = _server_said(wanted, error, said) if isinstance(error, pg.PostgresError) else _nobody_answered(wanted, error)
    return kind(f"cannot connect to {wanted.shown}: {said}{f'; {step}' if step else ''}")


def not_permitted(wanted: DatabaseSettings, said: str) -> errors.DatabaseUnavailable:
    """The error for a user that may connect, and may not make tables.

    :param said: by the driver
    """
    grant = f"'GRANT CREATE ON SCHEMA public TO {_quoted(wanted.user)}' lets the user make them"
    step = grant if "schema" in said else "connect as the user to whom the tables belong"
    return errors.DatabaseUnavailable(f"cannot make the tables in {wanted.shown}: {said}; {step}")


def _silent(wanted: DatabaseSettings, error: BaseException) -> str:
    return f"no answer within {wanted.connect_timeout:g} s" if isinstance(error, TimeoutError) else type(error).__name__


def _server_said(wanted: DatabaseSettings, error: pg.PostgresError, said: str) -> str:
    """The step after a refusal by PostgreSQL."""
    if isinstance(error, pg.InvalidCatalogNameError):
        user = f"-U {shlex.quote(wanted.user)} " if wanted.user else ""
        return f"'createdb {_place(wanted)}{user}{shlex.quote(wanted.name)}' creates it, DATABASE_URL or DB_NAME name another"
    if isinstance(error, pg.InvalidPasswordError):
        return f"{'check the' if wanted.password else 'set a'} password in DATABASE_URL or DB_PASSWORD"
    if isinstance(error, pg.TooManyConnectionsError):
        return "end programs that hold connections, or raise the limit (of the server 'max_connections')"
    if isinstance(error, pg.InsufficientPrivilegeError):
        return f"'GRANT CONNECT ON DATABASE {_quoted(wanted.name)} TO {_quoted(wanted.user)}' lets the user in"
    if isinstance(error, pg.CannotConnectNowError):
        return "try again in a moment"
    return _not_let_in(wanted, said) if isinstance(error, pg.InvalidAuthorizationSpecificationError) else ""


def _not_let_in(wanted: DatabaseSettings, said: str) -> str:
    if wanted.user is None:
        return "no user was named, and that of the operating system was taken: name one in DATABASE_URL or DB_USER"
    if "does not exist" in said:
        made = f"createuser {_place(wanted)}--pwprompt {shlex.quote(wanted.user)}"
        return f"'{made}' creates it, DATABASE_URL or DB_USER name another"
    if "not permitted to log in" in said:
        return f"'ALTER ROLE {_quoted(wanted.user)} LOGIN' lets it in"
    if wanted.ssl_mode == "disable" and "no encryption" in said:
        return f"it may be let in with TLS: say sslmode=require {_MODE}"
    return "pg_hba.conf of the server says who is let in from where"


def _nobody_answered(wanted: DatabaseSettings, error: BaseException) -> str:
    """The step after a connection on which PostgreSQL said nothing."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NO_MATCH:
            return f"name the host as its certificate does, or say sslmode=verify-ca {_MODE}"
        return f"add sslrootcert=FILE with its authority to DATABASE_URL, or say sslmode=require {_MODE} to encrypt without a look at it"
    if "rejected SSL upgrade" in str(error):
        if wanted.ssl_mode == "prefer":
            return f"what answers there is no PostgreSQL; {_WHERE} it is"
        return f"no TLS is spoken there: switch it on, or say sslmode=prefer {_MODE}"
    if isinstance(error, socket.gaierror):
        return f"is the host '{wanted.host}' spelled right? {_WHERE} PostgreSQL is"
    if isinstance(error, ConnectionError | TimeoutError | FileNotFoundError):
        return f"is PostgreSQL running there? {_WHERE}"
    return ""


def _place(wanted: DatabaseSettings) -> str:
    """Where the tools of PostgreSQL look for the server."""
    port = f"-p {wanted.port} " if wanted.port != 5432 else ""  # PostgreSQL's own
    return f"-h {shlex.quote(wanted.host)} {port}"


def _quoted(name: str | None) -> str:
    return '"' + (name or "…").replace('"', '""') + '"'
