"""Why Redis is of no use, in its words and with the next step, for logs and health."""

from __future__ import annotations

import socket
import ssl

from codeai.storage.causes import cause_of


def redis_cause(error: BaseException) -> str:
    """What a failed exchange was about.

    :param error: of the library, which wraps those of the system, or the ``TimeoutError`` of who waited
    """
    from redis.exceptions import AuthenticationError, RedisError

    if isinstance(error, AuthenticationError):
        if "HELLO must" in str(error) or "required" in str(error):
            return "it wants a password: set it in REDIS_URL, as in redis://:password@host:6379/0"
        return f"{str(error).rstrip('.').lower()}; check user and password in REDIS_URL"
    if isinstance(error, RedisError) and isinstance(error.__context__, OSError):
        error = error.__context__
    if isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError":
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"{(error.strerror or 'unknown host').lower()}; is the host in REDIS_URL spelled right?"
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        if "not valid for" in said:
            return f"{said}; name the host in REDIS_URL as its certificate does"
        return f"{said}; add ssl_ca_certs=FILE with its authority to REDIS_URL, after a question mark"
    if isinstance(error, ssl.SSLError):
        return f"{(error.reason or str(error)).lower().replace('_', ' ')}; rediss:// in REDIS_URL is for a Redis that speaks TLS"
    found = cause_of(error)
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return f"{found}; is Redis running there? REDIS_URL says where"
    return f"{found}; it is the number behind the last / of REDIS_URL" if "DB index" in found else found
