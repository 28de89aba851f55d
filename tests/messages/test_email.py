"""E-mail handed to a real mail server on the loopback interface."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeai.messages.email import MailFailed, MailServer, MessageRefused, addresses, attachments, built, email_of, recipients
from services.mail import MailServerPeer
from services.ports import free_port

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)


def server(peer, **changes):
    return MailServer(
        **{"host": "127.0.0.1", "port": peer.port, "security": "none", "sender": "Shop <shop@example.com>", "timeout": 5.0, **changes}
    )


def message(to="ann@example.com", subject="Hello", text="Dear Ann", html="", **values):
    return email_of(to, values, subject, text, html)


async def test_a_message_arrives_with_its_parts():
    with MailServerPeer() as peer:
        sent = message(
            "Ann <ann@example.com>, bob@example.com",
            "Grüße",
            html="<p>Dear Ann</p>",
            cc=["carl@example.com"],
            bcc="dora@example.com",
            reply_to="help@example.com",
            attachment=[
                {"name": "rechnung ä.pdf", "content": b"%PDF\x00\xff", "type": "application/pdf"},
                {"name": "a.txt", "content": "text"},
            ],
        )
        said = await server(peer).send(sent, "0193-1", NOW)
    assert "taken" in said
    [found] = peer.messages
    assert peer.recipients == [["ann@example.com", "bob@example.com", "carl@example.com", "dora@example.com"]]
    assert (found["from"], found["subject"], found["reply-to"]) == ("Shop <shop@example.com>", "Grüße", "help@example.com")
    assert found["to"] == "Ann <ann@example.com>, bob@example.com"
    assert found["bcc"] is None and "dora" not in found.as_string()
    assert found["message-id"] == "<0193-1@example.com>"
    assert found["date"].datetime == NOW
    assert found.get_body(("plain",)).get_content().strip() == "Dear Ann"
    assert found.get_body(("html",)).get_content().strip() == "<p>Dear Ann</p>"
    files = {part.get_filename(): part.get_content() for part in found.iter_attachments()}
    assert files == {"rechnung ä.pdf": b"%PDF\x00\xff", "a.txt": "text"}


async def test_html_alone_is_a_message_too():
    with MailServerPeer() as peer:
        await server(peer).send(message(text="", html="<p>x</p>"), "1", NOW)
    assert peer.messages[0].get_content_type() == "text/html"


async def test_credentials_are_given_when_there_are_any():
    with MailServerPeer(user="shop", password="secret") as peer:
        await server(peer, username="shop", password="secret").send(message(), "1", NOW)
        with pytest.raises(MailFailed, match="credentials") as caught:
            await server(peer, username="shop", password="wrong").send(message(), "1", NOW)
        assert "wrong" not in str(caught.value) and not caught.value.final
    assert len(peer.messages) == 1


@pytest.mark.parametrize(("answer", "final"), [("451 later", False), ("421 busy", False), ("552 too large", True), ("554 no", True)])
async def test_the_server_decides_whether_it_is_of_use_to_try_again(answer, final):
    with MailServerPeer() as peer:
        peer.answers.append(answer)
        with pytest.raises(MailFailed) as caught:
            await server(peer).send(message(), "1", NOW)
    assert caught.value.final is final
    assert answer[:3] in str(caught.value)


@pytest.mark.parametrize(("answer", "final"), [("550 unknown", True), ("450 greylisted", False)])
async def test_a_refused_recipient_is_a_failure_when_nobody_is_left(answer, final):
    with MailServerPeer() as peer:
        peer.refused["ann@example.com"] = answer
        with pytest.raises(MailFailed) as caught:
            await server(peer).send(message(), "1", NOW)
        assert caught.value.final is final
        said = await server(peer).send(message("ann@example.com, bob@example.com"), "1", NOW)
    assert "refused: ann@example.com" in said
    assert peer.recipients == [["bob@example.com"]]


async def test_a_server_that_is_not_there_or_wants_no_tls_is_tried_again():
    with pytest.raises(MailFailed, match="cannot be reached") as caught:
        await MailServer(host="127.0.0.1", port=free_port(), security="none", sender="a@example.com", timeout=2.0).send(message(), "1", NOW)
    assert not caught.value.final
    with MailServerPeer() as peer, pytest.raises(MailFailed):
        await server(peer, security="starttls").send(message(), "1", NOW)
    assert peer.messages == []


@pytest.mark.parametrize(
    "text", ["ann", "ann@", "@example.com", "a@b, c", "Ann <ann>", "a@b.c\r\nBcc: x@y.z", "<a@b.c", "a b@c.d", "Ann <a@b.c> x", "\x00@b.c"]
)
def test_what_is_no_address_is_refused_before_it_is_kept(text):
    with pytest.raises(MessageRefused, match="no e-mail address"):
        addresses(text, "to")


def test_addresses_may_have_names_with_commas():
    assert addresses('"Doe, Jane" <jane@example.com>, joe@example.com', "to") == ('"Doe, Jane" <jane@example.com>', "joe@example.com")
    assert addresses(None, "cc") == ()
    assert addresses(["a@b.c"], "cc") == ("a@b.c",)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"name": "a"},
        {"content": "x"},
        "file",
        [{"name": "a", "content": "x", "type": "no type"}],
        {"name": "a", "content": b"x" * 10_000_001},
    ],
)
def test_what_is_no_attachment_is_refused(value):
    with pytest.raises(MessageRefused):
        attachments(value)


def test_nobody_and_a_crowd_are_refused():
    with pytest.raises(MessageRefused, match="recipients"):
        recipients(message(""))
    with pytest.raises(MessageRefused, match="recipients"):
        recipients(message(",".join(f"a{number}@example.com" for number in range(101))))


@given(st.text(max_size=80), st.text(max_size=200))
def test_no_text_can_smuggle_a_header(subject, text):
    sent = message(subject=" ".join(subject.split()), text=text)
    try:
        written = built(sent, "1", NOW, "shop@example.com")
    except MessageRefused:
        return
    assert set(written.keys()) <= {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }
