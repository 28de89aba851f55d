"""Slack by incoming webhooks: each channel has an address that is a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

_LONGEST = 40_000  # characters, as Slack takes them


class SlackMessage(msgspec.Struct, frozen=True):
    """A text for a channel."""

    channel: str
    text: str

    def body(self) -> bytes:
        """The request."""
        return msgspec.json.encode({"channel": self.channel, "text": self.text[:_LONGEST]})


class SlackChannels(msgspec.Struct, frozen=True):
    """The addresses of channels, by channel without ``#``; '' is for all others."""

    addresses: Mapping[str, str] = {}

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses."""
        return tuple(self.addresses.values())

    def url(self, channel: str) -> str | None:
        """The address of a channel."""
        return self.addresses.get(channel.removeprefix("#"), self.addresses.get(""))


def parse_channels(text: str) -> SlackChannels:
    """Reads ``https://hooks…`` for all channels, or ``ops=https://… sales=https://…``, or both.

    :raises ValueError: an item is neither
    """
    found: dict[str, str] = {}
    for item in (part for part in re.split(r"[\s,]+", text) if part):
        name, separator, url = item.partition("=") if not item.startswith("http") else ("", "=", item)
        if not separator or not url.startswith(("https://", "http://")):
            raise ValueError("addresses of incoming webhooks, as in https://… or ops=https://…")
        found[name.removeprefix("#")] = url
    return SlackChannels(found)
