"""One line of a spool segment: one request, as it came, with its CRC.

`crc32` in eight hex digits, a tab, then `{"receivedAt","source","ip","browser","type","body"}`.
The body is the request's own JSON text, so a line costs little to write; a line whose CRC does not
hold was torn by a crash, or damaged since.
"""

from typing import Any, Final

import msgspec
from isal.isal_zlib import crc32

_HEX_DIGITS: Final = 8


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the collector knows of a request beside its body.

    `source` is None where each event of a batch names its own write key; `type` is the call that
    the path named, for bodies that don't; `browser` tells that a browser or a pixel sent it.
    """

    received_at: str
    source: str | None
    body: msgspec.Raw
    ip: str | None = None
    browser: bool = False
    type: str | None = None


_decode = msgspec.json.Decoder(Envelope).decode
_encode = msgspec.json.Encoder().encode


def encode_line(head: dict[str, Any], body: bytes) -> tuple[bytes, bytes, bytes]:
    """The line of a request, in three parts, which spare a copy of the body.

    `head` holds Envelope's other fields as JSON has them; `body` is JSON without a line break.
    """
    front = b'%b,"body":' % _encode(head)[:-1]
    crc = crc32(b"}", crc32(body, crc32(front)))
    return b"%08x\t%b" % (crc, front), body, b"}\n"


def is_whole(line: bytes) -> bool:
    """Whether the CRC of `line` (without its line end) holds."""
    digits, tab, text = line.partition(b"\t")
    if not tab or len(digits) != _HEX_DIGITS:
        return False
    try:
        return int(digits, 16) == crc32(text)
    except ValueError:
        return False


def decode_line(line: bytes) -> Envelope:
    """The envelope in a line that is whole; msgspec.DecodeError if it is not one of ours."""
    return _decode(memoryview(line)[_HEX_DIGITS + 1 :])
