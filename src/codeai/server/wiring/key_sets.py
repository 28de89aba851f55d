"""Key sets of token issuers, fetched by the guarded client. Auth stands below the rooms that call outside, so it is given this."""

from __future__ import annotations

import re
from typing import Final

from codeai.auth.keys import FetchedDocument
from codeai.integrations.addresses import AddressPolicy
from codeai.integrations.errors import OutboundError
from codeai.integrations.outbound import Limits, Outbound, host_of

_LIMITS: Final = Limits(connect=5.0, read=5.0, total=5.0, answer=1_000_000)


class KeySetDocuments:
    """Gets documents of at most 1 MB within 5 s; follows no redirect.

    Each has a client of its own: one is fetched in minutes, so that no connection is worth keeping.

    :param policy: which addresses may be called
    :param trusting: the hosts are named by whoever runs the program, so that they may lie where others may not
    """

    def __init__(self, policy: AddressPolicy, *, trusting: bool = True) -> None:
        self._policy = policy
        self._trusting = trusting

    async def __call__(self, url: str) -> FetchedDocument:
        """Gets one.

        :raises OSError: it cannot be had
        """
        try:
            policy = self._policy.trusting(host_of(url)) if self._trusting else self._policy
            client = Outbound(policy, connections=1)
            try:
                answer = await client.send("GET", url, headers=[("Accept", "application/json")], limits=_LIMITS)
            finally:
                await client.close()
        except OutboundError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        found = re.search(r"max-age=(\d+)", answer.header("cache-control"))
        return FetchedDocument(answer.body, float(found.group(1)) if found else None)
