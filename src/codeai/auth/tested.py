"""Callers of tests: ``as user { … }`` holds with every provider of tokens, whoever issues those of the program and under which claims."""

from __future__ import annotations

from codeai.auth.errors import AuthError
from codeai.auth.guard import BearerProvider, Headers
from codeai.auth.principal import Principal


class TestedProvider:
    """A provider of tokens that also knows those of the test.

    :param tested: checks the tokens of ``as user``
    :param declared: the provider as the program has it; None when it cannot be built without its real keys
    """

    __test__ = False

    def __init__(self, tested: BearerProvider, declared: BearerProvider | None) -> None:
        self.name = tested.name
        self.header = tested.header
        self.way = tested.way
        self._tested = tested
        self._declared = declared

    def challenge(self, refused: AuthError | None) -> str:
        """See ``Provider``."""
        return self._tested.challenge(refused)

    def quick(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        return self._tested.quick(headers)

    async def authenticate(self, headers: Headers) -> Principal | None:
        """See ``Provider``; of two refusals the declared provider's is told, since programs test for it."""
        try:
            return await self._tested.authenticate(headers)
        except AuthError:
            if self._declared is None:
                raise
            return await self._declared.authenticate(headers)
