"""What a User-Agent tells, and that nothing in one can hold up a load."""

import time

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.transformations import client_of, is_bot
from tests.transformations import agents


@pytest.mark.parametrize(
    ("user_agent", "browser", "system", "device"),
    [
        (agents.CHROME, ("Chrome", "120.0.0.0"), ("Windows", "10"), "desktop"),
        (agents.FIREFOX, ("Firefox", "118.0"), ("Linux", None), "desktop"),
        (agents.SAFARI, ("Safari", "17.4.1"), ("Mac OS X", "10.15.7"), "desktop"),
        (agents.IPHONE, ("Mobile Safari", "17.4"), ("iOS", "17.4"), "mobile"),
        (agents.IPAD, ("Mobile Safari", "16.5"), ("iOS", "16.5"), "tablet"),
        (agents.PIXEL, ("Chrome Mobile", "120.0.0.0"), ("Android", "14"), "mobile"),
        (agents.ANDROID_TABLET, ("Chrome", "120.0.0.0"), ("Android", "13"), "tablet"),
        (agents.TELEVISION, ("Safari", "5.0"), ("Tizen", "5.0"), "tv"),
        (agents.ANDROID_APP, ("Android", "9"), ("Android", "9"), None),
    ],
)
def test_a_user_agent_tells_browser_system_and_kind_of_device(user_agent, browser, system, device):
    found = client_of(user_agent)

    assert (found["browser"]["name"], found["browser"].get("version")) == browser
    assert (found["os"]["name"], found["os"].get("version")) == system
    assert found.get("device", {}).get("type") == device


@pytest.mark.parametrize("user_agent", ["x", "?", "analytics-node-next/latest", "\0"])
def test_what_tells_nothing_is_told_as_nothing(user_agent):
    assert client_of(user_agent) == {}
    assert not is_bot(user_agent)


@pytest.mark.parametrize(
    "user_agent", [agents.GOOGLEBOT, agents.HEADLESS, "curl/8.1", "python-requests/2.31"]
)
def test_a_bot_is_one(user_agent):
    assert is_bot(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        *(agents.CHROME, agents.FIREFOX, agents.IPHONE, agents.PIXEL, agents.ANDROID_APP),
        *("Shop/1.0 CFNetwork/1404 Darwin/22.3.0", "Dart/3.1 (dart:io)"),
    ],
)
def test_a_browser_or_an_app_is_no_bot(user_agent):
    assert not is_bot(user_agent)


def test_the_list_as_one_set_says_what_its_own_matcher_says():
    listed = [ua for bot in crawleruseragents.CRAWLER_USER_AGENTS_DATA for ua in bot["instances"]]

    told = [ua for ua in listed if is_bot(ua) != crawleruseragents.is_crawler(ua)]

    assert len(listed) > 1_000
    assert told == []


@given(st.text(max_size=200))
def test_any_text_has_an_answer(user_agent):
    assert set(client_of(user_agent)) <= {"browser", "os", "device"}
    assert is_bot(user_agent) in (True, False)


@pytest.mark.parametrize("part", ["A", "Mozilla/", "(", " ", "a/", "X11; ", "bot", "Android "])
def test_a_long_one_is_answered_at_once(part):
    client_of("warm"), is_bot("warm")
    user_agent = part * (30_000 // len(part))

    started = time.process_time()
    client_of(user_agent), is_bot(user_agent)

    assert time.process_time() - started < 0.1
