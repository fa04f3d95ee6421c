"""Privacy at the door: what is changed or left out before anything of an event is stored.

Everything behind it, raw tables, violations, archive, gets only what has passed it.
"""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from loader.config import PrivacyConfig
from loader.errors import ConfigError
from loader.event.envelope import Event, Shared
from loader.event.naming import column_name
from loader.ledger import Suppression
from loader.transformations.hashing import hashed, is_hash, salt_of
from loader.transformations.paths import read_path

_ANONYMOUS: Final = "anonymousId:"
_IPV4_PREFIX, _IPV6_PREFIX = 24, 48  # bits that are kept
_IP: Final = column_name(("ip",))

_Treatments = Mapping[str, Callable[[Any], Any]]  # by column, so that `Email` is no way around


class Privacy:
    """What a workspace's `privacy` asks for; does nothing where that is empty.

    `suppressed_users` and `suppressed_devices` are the user ids and anonymous ids of whom nothing
    is to be stored, as headwater.yml has them; `forgotten` knows those of `profile forget`. Raises
    ConfigError for a missing file, an unset salt, a path that is none.
    """

    def __init__(
        self, config: PrivacyConfig, root: Path, forgotten: Suppression | None = None
    ) -> None:
        self.suppressed_users, self.suppressed_devices = _read_suppressed(config, root)
        self.forgotten = forgotten or Suppression()
        self.suppresses = bool(self.suppressed_users or self.suppressed_devices or self.forgotten)
        self._treatments = _treatments(config)
        self.rewrites = bool(self._treatments)

    def is_suppressed(self, event: Event) -> bool:
        """Whether it is of somebody of whom nothing is to be stored; its ids are texts by now."""
        previous = event.get("previousId")
        return (
            event.get("userId") in self.suppressed_users
            or event.get("anonymousId") in self.suppressed_devices
            or previous in self.suppressed_users
            or previous in self.suppressed_devices
            or self.forgotten.is_of(event)
        )

    def clean(self, event: Event, text: bytes) -> bytes:
        """Change `event`, as it came, in place; its JSON, `text`, as it is to be stored."""
        if not self.rewrites:
            return text
        for root, treatments in self._treatments.items():
            part = event.get(root)
            if type(part) is dict:
                event[root] = _treated(part, (), treatments)
        return msgspec.json.encode(event)  # anew: a key that stood twice would still be in `text`

    def clean_shared(self, shared: Shared) -> Shared:
        """The same of what a request says for all of its events, their sender's address too."""
        treatments = self._treatments.get("context", {})
        context, ip = shared.context, shared.ip
        if type(context) is dict:
            context = _treated(context, (), treatments)
        if ip is not None and _IP in treatments:
            ip = treatments[_IP](ip)
        return msgspec.structs.replace(shared, context=context, ip=ip) if treatments else shared

    def clean_text(self, text: bytes) -> bytes:
        """What can't be read as an event: nobody can say what it holds, so it is withheld."""
        if not (self.rewrites or self.suppresses):
            return text
        digest = sha256(text).hexdigest()
        return f"withheld for privacy: {len(text)} bytes, SHA-256 {digest}".encode()


@lru_cache(maxsize=16_384)
def anonymised(ip: str) -> str | None:
    """An address without what tells one household from another; None for what is no address.

    IPv4 keeps 24 bits (`203.0.113.77` -> `203.0.113.0`), IPv6 48 (`2001:db8:1:2::3` ->
    `2001:db8:1::`); an IPv4 address written as IPv6 is taken as the former.
    """
    if is_hash(ip):
        return ip
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        return None
    if address.version == 6:
        address = address.ipv4_mapped or ipaddress.ip_address(int(address))  # without its zone
    kept = _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX
    return str(ipaddress.ip_network((address, kept), strict=False).network_address)


def _treated(part: Mapping[str, Any], above: tuple[str, ...], treatments: _Treatments) -> Event:
    done: Event = {}
    for key, value in part.items():
        path = (*above, key)
        treatment = treatments.get(column_name(path))
        if treatment is not None:
            done[key] = treatment(value)
        else:
            done[key] = _treated(value, path, treatments) if type(value) is dict else value
    return done


def _treatments(config: PrivacyConfig) -> dict[str, dict[str, Callable[[Any], Any]]]:
    """What is done with the value of which column, by the object of the event that it is from."""
    found: dict[str, dict[str, Callable[[Any], Any]]] = {}
    if config.anonymize_ip:
        found["context"] = {_IP: _anonymised}
    salt = salt_of(config)
    for index, text in enumerate(config.hash):
        root, *keys = read_path(text, f"privacy.hash[{index}]")
        column = column_name(tuple(keys))
        is_ip = config.anonymize_ip and (root, column) == ("context", _IP)
        treatment = _anonymised_and_hashed if is_ip else hashed
        found.setdefault(root, {})[column] = partial(treatment, salt=salt)
    return found


def _anonymised(value: Any) -> str | None:
    return anonymised(value) if isinstance(value, str) else None


def _anonymised_and_hashed(value: Any, salt: str) -> Any:
    return hashed(_anonymised(value), salt)


def _read_suppressed(config: PrivacyConfig, root: Path) -> tuple[frozenset[str], frozenset[str]]:
    """User ids and anonymous ids of the file that is named, one a line."""
    if config.suppress is None:
        return frozenset(), frozenset()
    path = root / config.suppress
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"headwater.yml: privacy.suppress: {path} can't be read: {problem}",
            fix="write one user id a line there, or anonymousId:…; an empty file is fine",
        ) from problem
    lines = [line.strip() for line in text.splitlines()]
    ids = [line for line in lines if line and not line.startswith("#")]
    devices = [id_.removeprefix(_ANONYMOUS).strip() for id_ in ids if id_.startswith(_ANONYMOUS)]
    users = [id_ for id_ in ids if not id_.startswith(_ANONYMOUS)]
    return frozenset(users), frozenset(filter(None, devices))
