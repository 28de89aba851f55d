"""Who tells a server who its callers are: the ``auth`` of the program, of its middleware, and of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from secrets import token_urlsafe

from codeai.auth.building import AuthSettings, provider, signing_key
from codeai.auth.errors import AuthConfigurationError
from codeai.auth.guard import BearerProvider, Provider
from codeai.auth.issuing import SigningKey
from codeai.auth.principal import RoleTable
from codeai.auth.tested import TestedProvider
from codeai.integrations.addresses import AddressPolicy
from codeai.model.application import Application
from codeai.model.expression import Expression
from codeai.server.errors import StartError
from codeai.server.settings import Settings
from codeai.server.wiring.key_sets import KeySetDocuments

_OF_TOKENS = ("jwt", "oauth2")


def auth_settings(settings: Settings) -> AuthSettings:
    """What the environment says of tokens."""
    return AuthSettings(
        secret=settings.jwt_secret,
        public_key=settings.jwt_public_key,
        jwks_url=settings.jwt_jwks_url,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        roles_claim=settings.jwt_roles_claim,
        development=settings.development,
    )


def own_signing_key(application: Application, settings: Settings, constant: Callable[[Expression], object]) -> SigningKey:
    """What the program signs its own tokens with: the first of its providers that knows a secret, else the environment's.

    :param constant: the value of a setting
    """
    found = auth_settings(settings)
    for model in application.providers:
        if model.method == "jwt":
            key = signing_key({entry.name: constant(entry.value) for entry in model.settings}, found)
            if key is not None:
                return key
    return signing_key({}, found) or SigningKey()


class TokenProviders:
    """Makes the providers of one server.

    :param clock: seconds since 1970
    :param tested: the program is tested: providers of tokens also know the callers of the test, whose tokens ``tested_secret`` signs
    """

    def __init__(
        self, application: Application, settings: Settings, roles: RoleTable, clock: Callable[[], float], *, tested: bool = False
    ) -> None:
        self.tested_secret = token_urlsafe(48) if tested else None
        self._application = application
        self._roles = roles
        self._clock = clock
        self._key_sets = KeySetDocuments(AddressPolicy(settings.outbound_allow))
        self._elsewhere = KeySetDocuments(AddressPolicy(settings.outbound_allow), trusting=False)
        self._settings = auth_settings(settings)

    def of_environment(self) -> tuple[Provider, ...]:
        """For operators of programs without ``auth``: tokens as the environment describes them."""
        found = self._settings
        if not (found.secret or found.public_key or found.jwks_url):
            return ()
        return (self.made("operators", "jwt", {}, -1),)

    def declared(self, constant: Callable[[Expression], object]) -> dict[str, Provider]:
        """Those of the program, by name.

        :param constant: the value of a setting
        """
        found: dict[str, Provider] = {}
        for model in self._application.providers:
            values = {entry.name: constant(entry.value) for entry in model.settings}
            found[model.name] = self.made(model.name, model.method, values, model.at)
        return found

    def made(self, name: str, method: str, values: Mapping[str, object], at: int) -> Provider:
        """One provider; raises StartError with its place when it cannot be built."""
        try:
            found = self._provider(name, method, values, self._settings)
        except AuthConfigurationError as error:
            if self.tested_secret and method in _OF_TOKENS:
                return self._also_tested(name, None)
            raise StartError(str(error), at) from error
        return self._also_tested(name, found) if self.tested_secret and isinstance(found, BearerProvider) else found

    def _provider(self, name: str, method: str, values: Mapping[str, object], settings: AuthSettings) -> Provider:
        return provider(name, method, values, settings, self._roles, self._key_sets, self._clock, self._elsewhere)

    def _also_tested(self, name: str, declared: BearerProvider | None) -> Provider:
        tested = self._provider(name, "jwt", {}, AuthSettings(secret=self.tested_secret))
        assert isinstance(tested, BearerProvider)
        return TestedProvider(tested, declared)
