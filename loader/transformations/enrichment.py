"""What an event's own User-Agent, page address and IP address tell, added to its context.

Nothing that an event says itself is changed: an object that it has stays as it is, of the campaign
each key. The parts are functions of one text, so that they can be applied to a column as well:
`client_of`, `is_bot` (user_agent.py), `campaign_of`, `CountryFile.country_of`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

import maxminddb

from loader.config import EnrichmentConfig
from loader.errors import ConfigError
from loader.event.envelope import Event
from loader.transformations.user_agent import client_of, is_bot

_UTM: Final = re.compile(r"(?:^|[?&])utm_(source|medium|campaign|term|content)=([^&#]+)")
_CAMPAIGN_KEYS: Final = {"campaign": "name"}  # the others are called as their parameter
_ABSENT: Final[tuple[Any, ...]] = (None, {})
_LOCATED: Final = 65_536  # addresses whose country is remembered
_MAX_ADDRESS: Final = 45  # characters of the longest IPv6 address


class Enrichment:
    """Adds to events what headwater.yml asks for.

    `country` is the open file, or None. Raises ConfigError if it can't be read.
    """

    def __init__(self, config: EnrichmentConfig, root: Path) -> None:
        self.user_agent = config.user_agent
        self.bots = config.bots
        self.campaign = config.campaign
        self.country = CountryFile(root / config.country) if config.country else None  # type: ignore[operator]

    def __call__(self, event: Event) -> Event:
        """The event, its context with what could be told; `event` itself is never changed."""
        context = event["context"]
        added: dict[str, Any] = {}
        user_agent = context.get("userAgent")
        if user_agent and type(user_agent) is str:
            if self.user_agent:
                for part, found in client_of(user_agent).items():
                    if context.get(part) in _ABSENT:
                        added[part] = dict(found)
            if self.bots and context.get("bot") is None and is_bot(user_agent):
                added["bot"] = True
        if self.campaign:
            _add_campaign(context, added)
        if self.country is not None and context.get("location") in _ABSENT:
            country = self.country.country_of(context.get("ip"))
            if country:
                added["location"] = {"country": country}
        return {**event, "context": {**context, **added}} if added else event


class CountryFile:
    """A file in MaxMind's format that knows countries: GeoLite2-Country, GeoLite2-City and others.

    Raises ConfigError if it is no such file.
    """

    def __init__(self, path: Path) -> None:
        try:
            reader = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as problem:
            raise ConfigError(
                f"headwater.yml: enrichment.country: {path} can't be read: {problem}",
                fix="name a file in MaxMind's format such as GeoLite2-Country.mmdb, or write off",
            ) from problem
        self._get = reader.get
        self._country_of = lru_cache(maxsize=_LOCATED)(self._look_up)

    def country_of(self, ip: object) -> str | None:
        """The ISO 3166 code of the country of an address, None if it or its country is unknown."""
        is_address = isinstance(ip, str) and 0 < len(ip) <= _MAX_ADDRESS
        return self._country_of(ip) if is_address else None

    def _look_up(self, ip: str) -> str | None:
        try:
            found: Any = self._get(ip)
        except ValueError:  # no address, or one of IPv6 in a file that has IPv4 only
            return None
        country = found.get("country") if isinstance(found, dict) else None
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) else None


def campaign_of(address: str) -> Mapping[str, str]:
    """`source`, `medium`, `name`, `term`, `content`: what the utm_ parameters of an address say.

    `address` is a URL or its query, with or without the question mark. The first of several wins.
    """
    if "utm_" not in address:
        return {}
    found: dict[str, str] = {}
    for parameter, value in _UTM.findall(address):
        found.setdefault(_CAMPAIGN_KEYS.get(parameter, parameter), unquote_plus(value))
    return found


def _add_campaign(context: Mapping[str, Any], added: dict[str, Any]) -> None:
    page = context.get("page")
    if type(page) is not dict:
        return
    address = page.get("search") or page.get("url")
    if not address or type(address) is not str or "utm_" not in address:
        return
    own = context.get("campaign")
    own = {} if own is None else own
    if type(own) is dict:
        missing = {k: v for k, v in campaign_of(address).items() if own.get(k) in (None, "")}
        if missing:
            added["campaign"] = {**own, **missing}
