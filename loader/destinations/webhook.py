"""Webhook: each row as one signed JSON body, posted to an address of your own."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from loader.config import Secret
from loader.destinations.destination import Destination, outcome_of
from loader.protocol import Delivery, Request, Row


@dataclass(frozen=True, kw_only=True)
class Webhook(Destination):
    """Post every row to `base_url`, as it stands.

    A repeat carries the same body and `Idempotency-Key`. With `secret`, `X-Signature` is the hex
    HMAC-SHA1 of the body, as Segment's webhook sends it, and `X-Headwater-Signature` is
    `t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the body>`, whose time tells a replay.
    """

    name: ClassVar[str] = "webhook"
    max_rows: ClassVar[int] = 1
    max_concurrency: ClassVar[int] = 100

    base_url: Secret  # the whole address often is the credential
    secret: Secret | None = None
    headers: dict[str, Secret] = field(default_factory=dict)

    def deliver(self, rows: Sequence[Row]) -> Delivery:
        """One request a row; 2xx is delivered, any other answer a rejection."""
        outcomes = []
        for row in rows:
            response = yield self._request(row)
            outcomes.append(outcome_of(response))
        return outcomes

    def _request(self, row: Row) -> Request:
        own = {name: value.reveal().strip() for name, value in self.headers.items()}
        body = {
            "sync": row.sync,
            "operation": row.operation,
            "message_id": row.message_id,
            "key": row.key,
            "fields": row.fields,
            "changed": row.changed,
        }
        headers = {**own, "Idempotency-Key": row.message_id}
        sign = None if self.secret is None else partial(_sign, self.secret.reveal().encode())
        return Request("POST", self.base_url.reveal(), body, headers, sign)


def _sign(key: bytes, body: bytes, sent_at: int) -> dict[str, str]:
    stamped = hmac.digest(key, b"%d." % sent_at + body, "sha256").hex()
    return {
        "X-Signature": hmac.digest(key, body, "sha1").hex(),
        "X-Headwater-Signature": f"t={sent_at},v1={stamped}",
    }
