"""What becomes of activations whose work has failed: tried again later, each time after a longer while."""

from __future__ import annotations

import logging
import random
from typing import Final

from codeai.durable.dispatch.protocol import Claim, Dispatcher, LeaseLost
from codeai.storage.errors import StorageError
from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.durable")
_FIRST_DELAY_MS: Final = 500
_LONGEST_DELAY_MS: Final = 60_000


class Failures:
    """Gives back what has failed, also what cannot be given back at once."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._unsettled: list[Claim] = []

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Tries a failed activation again later. What the database refused is no failure of the activation and does not count."""
        refused = isinstance(error, StorageError)
        growth = 1.0 + random.random() if refused else 2.0 ** min(claim.attempts, 20)  # noqa: S311  # spreads load, keeps no secret
        delay = int(min(_FIRST_DELAY_MS * growth, _LONGEST_DELAY_MS))
        known = {"kind": claim.kind, "subject": claim.subject, "attempts": claim.attempts, "retry_in": delay / 1000, "cause": str(error)}
        _LOG.log(logging.WARNING if refused else logging.ERROR, "activation failed", exc_info=None if refused else error, extra=known)
        try:
            await self._dispatcher.later(self._database.writing(), claim, delay, failed=not refused)
        except LeaseLost:
            pass
        except Exception:
            self._unsettled.append(claim)  # else others would wait for the end of its lease

    async def settle_again(self) -> None:
        """Gives back what could not be given back while the database was away."""
        waiting, self._unsettled = self._unsettled, []
        while waiting:
            try:
                await self._dispatcher.later(self._database.writing(), waiting[-1], 0)
            except LeaseLost:
                pass
            except StorageError:
                self._unsettled += waiting
                raise
            waiting.pop()
