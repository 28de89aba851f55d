"""E-mail: what a message says, as data that can wait in the database, and how it is handed to a mail server."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Mapping, Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

import msgspec

from codeai.language import types as t
from codeai.model.entity import Constraints
from codeai.model.validation import check_of

_ADDRESS: Final = check_of(t.Email(), Constraints())
_LARGEST: Final = 10_000_000  # bytes of all attachments
_RECIPIENTS: Final = 100


class MessageRefused(Exception):
    """A message that cannot be sent as it is: an address, a header or an attachment is wrong."""


class MailFailed(Exception):
    """A mail server did not take a message; ``final`` when trying again is of no use."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


class Attachment(msgspec.Struct, frozen=True):
    """A file of a message; ``data`` is base64."""

    name: str
    type: str
    data: str


class Email(msgspec.Struct, frozen=True, kw_only=True):
    """A message; addresses may have names, as in ``Shop <shop@example.com>``."""

    to: tuple[str, ...]
    subject: str = ""
    text: str = ""
    html: str = ""
    sender: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def addresses(value: object, what: str) -> tuple[str, ...]:
    """The addresses of a list, or of a text with commas between them.

    :raises MessageRefused: one of them is none
    """
    if value is None:
        return ()
    parts = [str(part) for part in value] if isinstance(value, list | tuple) else re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", str(value))
    found = tuple(part.strip() for part in parts if part.strip())
    for text in found:
        _address(text, what)
    return found


def _address(text: str, what: str) -> Address:
    match = re.fullmatch(r"\s*(?:\"?([^\"<>\r\n]*?)\"?\s*<([^<>\s]+)>|([^<>\s]+))\s*", text)
    plain = (match.group(2) or match.group(3)) if match is not None else ""
    if match is None or _ADDRESS(plain) is not None:
        raise MessageRefused(f"'{text[:100]}' in '{what}' is no e-mail address")
    try:
        return Address(display_name=match.group(1) or "", addr_spec=plain)
    except (HeaderParseError, ValueError, IndexError):
        raise MessageRefused(f"'{text[:100]}' in '{what}' is no e-mail address") from None


def attachments(value: object) -> tuple[Attachment, ...]:
    """The files of ``attachment``: one map of ``name``, ``content`` (bytes or text) and perhaps ``type``, or a list of such.

    :raises MessageRefused: something is missing or too large
    """
    if value is None:
        return ()
    items: Sequence[object] = value if isinstance(value, list | tuple) else (value,)
    found: list[Attachment] = []
    size = 0
    for item in items:
        if not isinstance(item, Mapping) or not item.get("name") or item.get("content") is None:
            raise MessageRefused('an attachment is { name: "…", content: … }')
        content = item["content"]
        data = content if isinstance(content, bytes) else str(content).encode()
        size += len(data)
        if size > _LARGEST:
            raise MessageRefused(f"attachments are larger than {_LARGEST:,} bytes")
        kind = str(item.get("type") or ("application/octet-stream" if isinstance(content, bytes) else "text/plain"))
        if not re.fullmatch(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+", kind):
            raise MessageRefused(f"'{kind[:60]}' is no media type")
        found.append(Attachment(str(item["name"]), kind, base64.b64encode(data).decode()))
    return tuple(found)


def built(message: Email, identifier: str, moment: datetime.datetime, sender: str) -> EmailMessage:
    """A message in the form of RFC 5322.

    :param identifier: the same for each attempt, so that receivers can tell repetitions
    :param sender: the address that it comes from unless it names one
    :raises MessageRefused: a header cannot be written
    """
    found = EmailMessage(policy=SMTP)
    origin = message.sender or sender
    try:
        found["From"] = _address(origin, "from")
        for name, texts in (("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)):
            if texts:
                found[name] = tuple(_address(text, name.lower()) for text in texts)
        found["Subject"] = message.subject
        found["Date"] = format_datetime(moment)
        found["Message-ID"] = f"<{identifier}@{_address(origin, 'from').domain}>"
        if message.text or not message.html:
            found.set_content(message.text)
        if message.html:
            (found.add_alternative if message.text else found.set_content)(message.html, subtype="html")
        for attachment in message.attachments:
            main, _, sub = attachment.type.partition("/")
            found.add_attachment(base64.b64decode(attachment.data), maintype=main, subtype=sub, filename=attachment.name)
    except (ValueError, HeaderParseError, binascii.Error) as error:
        raise MessageRefused(f"the message cannot be written: {error}") from error
    return found


def recipients(message: Email) -> list[str]:
    """Everybody who gets a message; raises MessageRefused when that is nobody, or too many."""
    found = [_address(text, "to").addr_spec for text in (*message.to, *message.cc, *message.bcc)]
    if not 0 < len(found) <= _RECIPIENTS:
        raise MessageRefused(f"a message has from 1 to {_RECIPIENTS} recipients, not {len(found)}")
    return found


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages are handed over (RFC 6409). ``security``: ``tls`` from the start, ``starttls``, or ``none``."""

    host: str
    port: int = 587
    username: str | None = None
    password: str | None = None
    security: str = "starttls"
    sender: str = ""
    timeout: float = 30.0

    async def send(self, message: Email, identifier: str, moment: datetime.datetime) -> str:
        """Hands a message over and returns what the server said.

        :raises MailFailed: the server did not take it
        :raises MessageRefused: it cannot be sent as it is
        """
        import aiosmtplib  # only where something is sent

        written = built(message, identifier, moment, self.sender)
        everybody = recipients(message)
        origin = _address(message.sender or self.sender, "from").addr_spec
        try:
            refused, said = await aiosmtplib.send(
                written,
                sender=origin,
                recipients=everybody,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                timeout=self.timeout,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refusal.code for refusal in error.recipients]
            raise MailFailed(f"all recipients were refused ({codes[0]})", final=all(code >= 500 for code in codes)) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailFailed(f"the mail server refused the credentials ({error.code})", final=False) from error
        except aiosmtplib.SMTPResponseException as error:
            raise MailFailed(f"the mail server said {error.code} {error.message}"[:500], final=error.code >= 500) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailFailed(f"the mail server cannot be reached: {error or type(error).__name__}"[:500], final=False) from error
        partly = f"; refused: {', '.join(refused)}" if refused else ""
        return f"{said}{partly}"


def email_of(to: str, values: Mapping[str, Any], subject: str, text: str, html: str) -> Email:
    """The message of a ``send email(to) { … }`` whose template is rendered already.

    :raises MessageRefused: an address or an attachment is wrong
    """
    sender = addresses(values.get("from"), "from")
    return Email(
        to=addresses(to, "to"),
        subject=subject,
        text=text,
        html=html,
        sender=sender[0] if sender else "",
        cc=addresses(values.get("cc"), "cc"),
        bcc=addresses(values.get("bcc"), "bcc"),
        reply_to=addresses(values.get("reply_to"), "reply_to"),
        attachments=attachments(values.get("attachment")),
    )
