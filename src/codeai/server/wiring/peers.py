"""What a process talks to: its database, Redis, other processes, and the services that the program calls."""

from __future__ import annotations

import time
from pathlib import Path

from codeai.auth.acting import Acting
from codeai.durable.process import KeyedOperations
from codeai.evaluate.effects import Effects
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.plans import Runtime
from codeai.http.settings import HttpSettings
from codeai.observability.health import Health
from codeai.observability.metrics.instruments import Metrics
from codeai.observability.processes import FOLDER_VARIABLE
from codeai.server.wiring import integrations as wired
from codeai.server.wiring.checks import database_check
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.integrations import integrations, recorded
from codeai.server.wiring.middleware import program_cors, watched
from codeai.server.wiring.program_log import log_program
from codeai.server.wiring.sharing import Sharing
from codeai.storage.notices import Notices


class Peers:
    """They, and whether they are well.

    ``database`` is that of the foundation, behind what notes reads and writes where the program keeps answers. ``recorded`` stands for
    the services while the program is tested.
    """

    def __init__(self, foundation: Foundation) -> None:
        application, settings = foundation.application, foundation.settings
        self._foundation = foundation
        self.notices = Notices(foundation.database)
        runtime = foundation.environment.get(FOLDER_VARIABLE)
        folder = Path(runtime) if runtime else None
        self.sharing = Sharing(application, settings, foundation.setting, foundation.clock, self.notices, folder)
        self.integrations = integrations(foundation, self.sharing)
        self.recorded = recorded(foundation) if foundation.recording else None
        self.database = watched(application, foundation.database, self.sharing, settings.workers)
        checks = [database_check(self.database), self.sharing.check(), *wired.checks(self.integrations)]
        self.health = Health(application.version, checks, time.monotonic())

    def runtime(self) -> Runtime:
        """What every endpoint uses of the process."""
        foundation, settings = self._foundation, self._foundation.settings
        http = HttpSettings(
            request_timeout=settings.request_timeout,
            body_timeout=settings.body_timeout,
            max_body=settings.max_body,
            cors=program_cors(foundation.application, foundation.setting),
        )
        effects = Effects()
        effects.actor = Acting(foundation.roles)
        effects.operations = KeyedOperations(self.recorded or self.integrations)
        addresses = ClientAddresses(settings.trusted_proxies)
        return Runtime(self.database, foundation.services, log_program, foundation.clock, http, effects, addresses=addresses)

    def observe(self, metrics: Metrics) -> None:
        """Shows how they are."""
        self.sharing.observe(metrics)
        wired.observe(self.integrations, metrics)
