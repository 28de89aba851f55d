"""Key pairs and tokens for the tests of authentication."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from services.service import SECRET

NOW = 1_800_000_000


class Pair:
    """A key pair with its JWK."""

    def __init__(self, algorithm: str, kid: str) -> None:
        self.algorithm, self.kid = algorithm, kid
        made: dict[str, Callable[[], Any]] = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.private = made[algorithm]()
        public = self.private.public_key()
        self.pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        handler = jwt.get_algorithm_by_name(algorithm)
        self.jwk = {**handler.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": algorithm}  # type: ignore[call-overload]

    def token(self, claims: dict[str, Any] | None = None, **headers: Any) -> str:
        """A signed token; a header that is None is left out."""
        given = {"kid": self.kid, **headers}
        shown = {name: value for name, value in given.items() if value is not None}
        return jwt.encode({"sub": "ada", "exp": NOW + 600, **(claims or {})}, self.private, algorithm=self.algorithm, headers=shown)


def signed(claims: dict[str, Any] | None = None, key: str = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    """A token that a secret signs; a claim that is None is left out."""
    given = {"sub": "ada", "exp": NOW + 600, **(claims or {})}
    return jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm=algorithm, headers=headers)


def raw(header: Any, claims: Any, signature: bytes = b"x") -> str:
    """A token of any parts."""

    def part(value: Any) -> str:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    return ".".join((part(header), part(claims), part(signature)))
