"""Who acts: users, their devices and companies, each a function of the seed and its number.

Devices below `users` belong to the user of the same number, those up to 1.8 times `users` are
somebody's second device, the others never log in. One user in a hundred is a second account under
another user's email, written with a capital letter. Every user works for one company.
"""

from typing import NamedTuple

from loader.demo import catalog
from loader.demo.clock import DAY_SECONDS, MONTH_START, iso
from loader.demo.hashing import as_uuid, mix

WEB, MOBILE, SERVER = range(3)  # a device's platform; also the number in its write key

_PHONES = (  # kind, maker, model, system, its version, pixels a point
    ("android", "Google", "Pixel 8", "Android", "14", "2.75"),
    ("ios", "Apple", "iPhone15,3", "iOS", "17.4", "3"),
)


class Device(NamedTuple):
    """A browser, a phone or a server; `context` is JSON without the braces and without `page`."""

    anonymous_id: str
    context: str
    platform: int
    skew_seconds: float


class User(NamedTuple):
    """Somebody with an account; `traits` is JSON without the braces."""

    user_id: str
    traits: str
    email: str


class Population:
    """Everybody in a data set of `events` events."""

    def __init__(self, seed: int, events: int) -> None:
        self.seed = seed
        self.users = max(50, events // 50)
        self.devices = 3 * self.users
        self.companies = max(5, self.users // 25)
        self._device_of: dict[int, Device] = {}
        self._user_of: dict[int, User] = {}

    def device(self, number: int) -> Device:
        """The device of this number, the same whenever it is asked for."""
        found = self._device_of.get(number)
        if found is None:
            found = self._device_of[number] = self._make_device(number)
        return found

    def user(self, number: int) -> User:
        """The user of this number, the same whenever it is asked for."""
        found = self._user_of.get(number)
        if found is None:
            found = self._user_of[number] = self._make_user(number)
        return found

    def _make_device(self, number: int) -> Device:
        h = mix(self.seed * 1000003 + number * 2 + 1)
        h2 = mix(h)
        share = h % 100
        if share < 78:
            platform, context = WEB, _web_context(h)
        elif share < 95:
            platform, context = MOBILE, _mobile_context(h, h2)
        else:
            platform, context = SERVER, _server_context(h)
        # One clock in fifty is wrong by seconds, the others by a fraction of one.
        if h2 % 50 == 0:
            skew = ((h2 >> 20) % 2000 - 1000) / 100.0
        else:
            skew = ((h2 >> 20) % 200 - 100) / 1000.0
        return Device(as_uuid(h, h2), context, platform, skew)

    def _make_user(self, number: int) -> User:
        h = mix(self.seed * 7777777 + number)
        person = number - 1 if number and h % 100 == 0 else number
        hp = mix(self.seed * 7777777 + person)
        first_name, first_in_email = catalog.FIRST_NAMES[hp % 20]
        last_name, last_in_email = catalog.LAST_NAMES[(hp >> 8) % 16]
        domain = catalog.EMAIL_DOMAINS[(hp >> 16) % 4 if (hp >> 24) % 50 else 4]
        email = f"{first_in_email}.{last_in_email}{person}@{domain}"
        if person != number:
            email = email.capitalize()
        company = number % self.companies
        created_at = iso(MONTH_START - ((h >> 32) % 700) * DAY_SECONDS)
        phone = "null" if (h >> 40) % 3 == 0 else f'"+1555{(h >> 20) % 10000000:07d}"'
        traits = (
            f'"email":"{email}","name":"{first_name} {last_name}",'
            f'"plan":"{("free", "pro", "enterprise")[(h >> 30) % 3]}",'
            f'"company":{{"id":"company_{company}","name":"Example {company} Inc"}},'
            f'"createdAt":"{created_at}","projects_count":{(h >> 34) % 40},"phone":{phone}'
        )
        return User(f"usr_{number}", traits, email)


def _ip(h: int) -> str:
    return f"{10 + (h >> 12) % 200}.{(h >> 20) % 256}.{(h >> 28) % 256}.{1 + (h >> 36) % 254}"


def _place(h: int) -> str:
    locale, time_zone = catalog.PLACES[(h >> 8) % 10]
    return f'"ip":"{_ip(h)}","locale":"{locale}","timezone":"{time_zone}"'


def _web_context(h: int) -> str:
    if (h >> 44) % 5 < 4:
        agent = catalog.DESKTOP_BROWSERS[(h >> 44) % 3] % (90 + (h >> 48) % 40)
    else:
        agent = catalog.PHONE_BROWSERS[(h >> 50) % 2] % (100 + (h >> 48) % 30)
    return (
        f'"library":{{"name":"analytics.js","version":"npm:next-1.{60 + (h >> 40) % 20}.0"}},'
        f'"userAgent":"{agent}",{_place(h)},'
        f'"app":{{"version":"2.{(h >> 33) % 9}.{(h >> 37) % 5}"}}'
    )


def _mobile_context(h: int, h2: int) -> str:
    kind, maker, model, system, version, density = _PHONES[(h >> 44) % 2]
    wifi, cellular = ("true", "false") if h2 & 1 else ("false", "true")
    return (
        f'"library":{{"name":"analytics-{kind}","version":"4.{(h >> 40) % 9}.1"}},{_place(h)},'
        f'"app":{{"name":"Shop","version":"5.{(h >> 33) % 9}.0","build":"{(h >> 37) % 400}",'
        f'"namespace":"com.example.shop"}},'
        f'"device":{{"id":"{as_uuid(h2, h)}","manufacturer":"{maker}","model":"{model}",'
        f'"type":"{kind}"}},"os":{{"name":"{system}","version":"{version}"}},'
        f'"network":{{"wifi":{wifi},"cellular":{cellular},"carrier":"T-Mobile"}},'
        f'"screen":{{"width":390,"height":844,"density":{density}}}'
    )


def _server_context(h: int) -> str:
    return f'"library":{{"name":"analytics-node","version":"2.{(h >> 40) % 3}.0"}},"ip":"{_ip(h)}"'
