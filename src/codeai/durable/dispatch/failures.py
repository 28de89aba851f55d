"""What becomes of activations whose work has failed: tried again later, each time after a longer while."""

from __future__ import annotations

import logging
import random
from typing import Final

from codeai.durable.dispatch.protocol import Claim, Dispatcher, LeaseLost
from codeai.storage import errors as storage
from codeai.storage.codecs import storable
from codeai.storage.interface import Database

_LOG: Final = logging.getLogger("codeai.durable")
_FIRST_DELAY_MS: Final = 500
_LONGEST_DELAY_MS: Final = 60_000
_STUCK: Final = 5  # refusals in a row after which it is more than bad luck
_CAUSE: Final = 500
# What the database does to everybody. All else that it says is about what was to be written, and counts.
REFUSALS: Final = (
    storage.DatabaseUnavailable,
    storage.PoolExhausted,
    storage.SerializationFailure,
    storage.LockTimeout,
    storage.StatementTimeout,
)


class Failures:
    """Gives back what has failed, also what cannot be given back at once."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._unsettled: list[Claim] = []

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Tries a failed activation again later. What the database does to everybody is no failure of the activation and does not count."""
        try:
            await (self._refused if isinstance(error, REFUSALS) else self._counted)(claim, error)
        except LeaseLost:
            pass
        except Exception:
            self._unsettled.append(claim)  # else others would wait for the end of its lease

    async def _counted(self, claim: Claim, error: Exception) -> None:
        delay = int(min(_FIRST_DELAY_MS * 2.0 ** min(claim.attempts, 20), _LONGEST_DELAY_MS))
        known = {"attempts": claim.attempts, "retry_in": delay / 1000, "cause": str(error)}
        stack = error if claim.attempts == 0 else None  # it is the same each time
        _LOG.error("activation failed", exc_info=stack, extra={"kind": claim.kind, "subject": claim.subject, **known})
        await self._dispatcher.later(self._database.writing(), claim, delay, failed=True, cause=_cause(error))

    async def _refused(self, claim: Claim, error: Exception) -> None:
        delay = int(_FIRST_DELAY_MS * (1.0 + random.random()))  # noqa: S311  # spreads load, keeps no secret
        known = {"kind": claim.kind, "subject": claim.subject, "attempts": claim.attempts, "cause": str(error)}
        try:
            refusals = await self._dispatcher.put_off(self._database.writing(), claim, delay, _cause(error))
        except Exception:
            _LOG.warning("activation failed", extra=known)
            raise
        level = logging.WARNING if refusals < _STUCK else logging.ERROR
        _LOG.log(level, "activation failed", extra={**known, "refusals": refusals})

    async def settle_again(self) -> None:
        """Gives back what could not be given back while the database was away."""
        waiting, self._unsettled = self._unsettled, []
        while waiting:
            try:
                await self._dispatcher.later(self._database.writing(), waiting[-1], 0)
            except LeaseLost:
                pass
            except storage.StorageError:
                self._unsettled += waiting
                raise
            waiting.pop()


def _cause(error: Exception) -> str:
    """What operators see of it."""
    return storable(str(error) or type(error).__name__)[:_CAUSE]
