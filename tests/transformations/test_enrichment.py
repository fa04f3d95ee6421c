"""What is added to a context, and what an event says itself that stays."""

from copy import deepcopy
from pathlib import Path

import pytest

from loader.config import EnrichmentConfig
from loader.errors import ConfigError
from loader.transformations import CountryFile, Enrichment, campaign_of
from tests.transformations import agents

NOWHERE = Path("/nowhere")
NONE = {"user_agent": False, "campaign": False, "bots": False}


def added(context, root=NOWHERE, **config):
    """The context of an event that came with `context`."""
    event = {"type": "page", "context": context}
    before = deepcopy(event)
    enriched = Enrichment(EnrichmentConfig(**config), root)(event)
    assert event == before
    return enriched["context"]


def test_a_browsers_event_says_more_than_it_came_with():
    page = {"search": "?utm_source=news&utm_campaign=Spring+Sale"}

    context = added({"userAgent": agents.IPHONE, "page": page})

    assert context == {
        "userAgent": agents.IPHONE,
        "page": page,
        "browser": {"name": "Mobile Safari", "version": "17.4"},
        "os": {"name": "iOS", "version": "17.4"},
        "device": {"type": "mobile"},
        "campaign": {"source": "news", "name": "Spring Sale"},
    }


def test_only_a_bot_gets_the_flag():
    assert added({"userAgent": agents.GOOGLEBOT})["bot"] is True
    assert "bot" not in added({"userAgent": agents.CHROME})
    assert added({"userAgent": agents.GOOGLEBOT, "bot": False})["bot"] is False


@pytest.mark.parametrize(
    "own",
    [
        {"device": {"id": "d-1", "type": "android"}},
        {"device": {"id": "d-1"}},
        {"os": {"name": "Android"}},
        {"browser": {"version": "1"}},
        {"os": "Android"},
        {"device": []},
    ],
)
def test_an_object_that_the_event_has_stays_as_it_is(own):
    context = added({"userAgent": agents.PIXEL, **own})

    assert {name: context[name] for name in own} == own


@pytest.mark.parametrize("user_agent", [None, "", 5, [], {"a": 1}])
def test_what_is_no_user_agent_adds_nothing(user_agent):
    assert added({"userAgent": user_agent}) == {"userAgent": user_agent}


def test_a_campaign_is_filled_up_and_not_changed():
    page = {"url": "https://shop.example/a?utm_source=news&utm_medium=mail#utm_term=x"}

    context = added({"page": page, "campaign": {"source": "own", "medium": None, "id": 7}})

    assert context["campaign"] == {"source": "own", "medium": "mail", "id": 7}


@pytest.mark.parametrize("page", [None, "text", {}, {"search": 5}, {"search": "?a=utm_source"}])
def test_a_page_without_a_campaign_adds_none(page):
    assert "campaign" not in added({"page": page})


def test_a_campaign_that_is_no_object_stays():
    page = {"search": "?utm_source=a"}

    assert added({"page": page, "campaign": "summer"})["campaign"] == "summer"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("utm_source=a&utm_source=b", {"source": "a"}),
        ("?x=1&utm_term=caf%C3%A9+noir", {"term": "café noir"}),
        ("https://a.example/?utm_content=1&utm_id=2", {"content": "1"}),
        ("?utm_source=", {}),
        ("?xutm_source=a", {}),
        ("/utm_source=a", {}),
        ("?utm_medium=%ff", {"medium": "\ufffd"}),
        ("", {}),
    ],
)
def test_a_campaign_is_what_the_utm_parameters_say(address, found):
    assert campaign_of(address) == found


@pytest.mark.parametrize("switched_off", ["user_agent", "bots", "campaign"])
def test_each_is_off_by_one_word(switched_off):
    context = {"userAgent": agents.GOOGLEBOT, "page": {"search": "?utm_source=a"}}
    of = {"user_agent": {"browser"}, "bots": {"bot"}, "campaign": {"campaign"}}

    names = set(added(context, **{switched_off: False})) - set(context)

    assert names & {"browser", "bot", "campaign"} == set().union(*of.values()) - of[switched_off]


def test_with_all_of_it_off_the_event_is_the_very_same():
    event = {"type": "page", "context": {"userAgent": agents.GOOGLEBOT, "ip": "203.0.113.1"}}

    assert Enrichment(EnrichmentConfig(**NONE), NOWHERE)(event) is event


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("203.0.113.77", "NL"),
        ("203.0.113.0", "NL"),
        ("2001:db8:5::1", "FR"),
        ("198.51.100.1", None),
        ("192.0.2.1", None),
        ("no address", None),
        ("", None),
        ("1" * 10_000, None),
        (None, None),
        (7, None),
    ],
)
def test_a_country_is_looked_up_in_the_file(country_file, ip, country):
    assert CountryFile(country_file).country_of(ip) == country


def test_the_country_is_added_where_no_location_is(country_file):
    config = {"country": country_file.name, **NONE}
    ip = {"ip": "203.0.113.77"}

    assert added(ip, country_file.parent, **config)["location"] == {"country": "NL"}
    own = {**ip, "location": {"city": "Paris"}}
    assert added(own, country_file.parent, **config) == own
    unknown = {"ip": "192.0.2.1"}
    assert added(unknown, country_file.parent, **config) == unknown


@pytest.mark.parametrize("content", [None, b"", b"no such file"])
def test_a_file_that_can_not_be_read_is_an_error_of_the_config(tmp_path, content):
    if content is not None:
        (tmp_path / "c.mmdb").write_bytes(content)

    with pytest.raises(ConfigError, match=r"enrichment\.country: .*c\.mmdb"):
        Enrichment(EnrichmentConfig(country="c.mmdb"), tmp_path)
