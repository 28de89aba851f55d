"""Clients that order without pause while something goes wrong, and remember what they were told."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx


class Load:
    """Orders of several clients; each number is ordered once.

    :param servers: the addresses between which the clients choose at the moment
    """

    def __init__(self, servers: Callable[[], list[str]], clients: int = 3, pause: float = 0.04) -> None:
        self._servers = servers
        self._pause = pause
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._order) for _ in range(clients)]
        self.accepted: set[int] = set()
        self.refused: Counter[str] = Counter()
        self.last_accepted = 0.0

    def _order(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._ended.wait(self._pause):
                number = next(self._numbers)
                servers = self._servers()
                server = servers[number % len(servers)]
                try:
                    answer = client.post(server + "/orders", json={"number": number})
                except httpx.HTTPError as error:
                    self.refused[type(error).__name__] += 1
                    continue
                if answer.status_code == 201:
                    self.accepted.add(number)
                    self.last_accepted = time.monotonic()
                else:
                    self.refused[f"{answer.status_code} {answer.json().get('code')}"] += 1

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Orders until the end of the block."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()

    def served_again(self, since: float, seconds: float) -> float | None:
        """Waits until an order is taken that was answered after an instant; the seconds that it took, None if too many."""
        while time.monotonic() < since + seconds:
            if self.last_accepted > since:
                return self.last_accepted - since
            time.sleep(0.02)
        return None
