"""Addresses of Slack channels."""

import pytest

from codeai.messages.slack import SlackMessage, parse_channels


@pytest.mark.parametrize(
    ("text", "channel", "url"),
    [
        ("https://hooks.slack.com/a", "#ops", "https://hooks.slack.com/a"),
        ("ops=https://a/1 #sales=https://a/2", "#ops", "https://a/1"),
        ("ops=https://a/1 #sales=https://a/2", "sales", "https://a/2"),
        ("ops=https://a/1, https://a/3", "#other", "https://a/3"),
        ("ops=https://a/1?x=y", "#ops", "https://a/1?x=y"),
        ("ops=https://a/1", "#other", None),
        ("", "#ops", None),
    ],
)
def test_channels_have_addresses(text, channel, url):
    assert parse_channels(text).url(channel) == url


@pytest.mark.parametrize("text", ["ops", "ops=", "ops=hooks", "ftp://a"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="incoming webhooks"):
        parse_channels(text)


def test_a_message_is_cut_where_slack_would_cut_it():
    assert len(SlackMessage("#ops", "x" * 100_000).body()) < 41_000
