"""Who may call: what knows callers, what stands around endpoints, and what guards the routes of operators."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.auth.guard import Provider
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.middleware import Surrounding
from codeai.server.wiring.operators import operator_routes
from codeai.server.wiring.providers import TokenProviders
from codeai.server.wiring.sharing import Sharing


class Callers:
    """The providers of a process by name: those of the program and those of its middleware.

    ``tested_secret`` signs the tokens of callers in tests of programs. ``operators`` are the routes that the other rooms fill.
    """

    def __init__(self, foundation: Foundation, sharing: Sharing) -> None:
        application, settings, constant = foundation.application, foundation.settings, foundation.evaluator.constant
        tokens = TokenProviders(application, settings, foundation.roles, foundation.seconds, tested=foundation.recording)
        declared = tokens.declared(constant)
        self.tested_secret = tokens.tested_secret
        self.surrounding = Surrounding(application, settings, sharing, constant, tokens.made, foundation.folder)
        self.providers: Mapping[str, Provider] = declared | self.surrounding.providers
        self.operators = operator_routes(settings, tuple(self.providers.values()) or tokens.of_environment())
