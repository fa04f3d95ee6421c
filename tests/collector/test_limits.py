"""Rate limits, write keys and client addresses."""

import pytest

from loader.collector.client_ip import ClientIp
from loader.collector.keys import Keys, basic_username, read_keys
from loader.collector.limits import RateLimits
from loader.config import Config, Secret, SourceConfig
from loader.errors import ConfigError


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_source_may_send_so_many_requests_a_second_and_no_more():
    clock = Clock()
    limits = RateLimits({"web": 3}, clock)

    admitted = [limits.admits("web") for _ in range(5)]
    clock.now += 0.34
    admitted.append(limits.admits("web"))
    admitted.append(limits.admits("web"))
    clock.now += 60
    admitted += [limits.admits("web") for _ in range(4)]

    assert admitted == [True] * 3 + [False] * 2 + [True, False] + [True] * 3 + [False]


def test_another_source_is_not_held_up():
    limits = RateLimits({"web": 1}, Clock())

    assert [limits.admits("web"), limits.admits("web")] == [True, False]
    assert all(limits.admits("server") for _ in range(10_000))


def test_a_share_of_a_limit_that_is_below_one_still_lets_one_through():
    clock = Clock()
    limits = RateLimits({"web": 0.5}, clock)

    admitted = [limits.admits("web"), limits.admits("web")]
    clock.now += 2
    admitted.append(limits.admits("web"))

    assert admitted == [True, False, True]


def test_a_key_leads_to_its_source_and_no_other_does():
    keys = Keys({"k1": "web", "ключ": "server"})

    assert keys.source_of("k1") == "web"
    assert keys.source_of("ключ") == "server"
    assert [keys.source_of(key) for key in ("", "k", "k11", "K1", "\ud800")] == [None] * 5


@pytest.mark.parametrize(
    ("header", "user"),
    [
        (b"Basic azE6", "k1"),
        (b"Basic azE=", "k1"),
        (b"Basic azE6cGFzczp3b3Jk", "k1"),
        (b"Basic Og==", ""),
        (b"Basic ", ""),
        (b"Basic %%%", ""),
        (b"Basic azE", ""),
    ],
)
def test_the_user_name_of_basic_authorization_needs_no_colon(header, user):
    assert basic_username(header) == user


def sources(**keys):
    return Config(
        sources={
            name: SourceConfig(write_key=Secret(key, f"sources.{name}.write_key"))
            for name, key in keys.items()
        }
    )


def test_keys_must_be_there_set_and_different(monkeypatch):
    monkeypatch.delenv("UNSET_KEY", raising=False)

    with pytest.raises(ConfigError, match="no source has a write key"):
        read_keys(Config())
    with pytest.raises(ConfigError, match="UNSET_KEY is not set"):
        read_keys(sources(web="${UNSET_KEY}"))
    with pytest.raises(ConfigError, match=r"sources\.b\.write_key: the same key as that of 'a'"):
        read_keys(sources(a="k", b="k"))


def test_a_long_list_of_proxies_is_read_too():
    many = ", ".join(["10.0.0.2"] * 1_000)

    assert ClientIp(["10.0.0.0/8"]).of("10.0.0.1", f"1.2.3.4, {many}") == "1.2.3.4"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),  # who connected is not trusted
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # what the client itself claims
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
        ("10.0.0.1", "[2001:db8::1]:5678", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("::1", "1.2.3.4", "1.2.3.4"),
        ("", "1.2.3.4", None),
    ],
)
def test_the_client_is_the_last_address_that_a_trusted_proxy_saw(peer, forwarded_for, client):
    assert ClientIp(["10.0.0.0/8", "::1"]).of(peer, forwarded_for) == client
