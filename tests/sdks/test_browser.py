"""@segment/analytics-next as a bundle, in Chromium, with the code of docs/how-to/browser.md."""

import pytest

from tests.collector.child import KEYS, wait_until
from tests.sdks.browser import bundle
from tests.sdks.how_to import block
from tests.sdks.proxy import FAULTS
from tests.sdks.stand import assert_stored

BATCHING = "events go out ten at a time, or after five seconds:"
STANDARD = "Or each event at once, the SDK's own default:"
TRACKS = "Promise.all([...Array({count}).keys()].map((n) => track('{name}', {{n}}))).then(() => 0)"


@pytest.fixture
def open_app(stand, site, browser, tmp_path):
    """Opens a page with the how-to's app that sends by way of a proxy; waits until it can send."""

    def open_page(proxy, strategy):
        name = f"app{proxy.url.rpartition(':')[2]}"
        parts = [
            block("browser", strategy, host=proxy.url),
            block("browser", "## Add to every event", host=proxy.url),
            f"const guide = () => {{ {block('browser', '## Calls', host=proxy.url)} }};",
            "const track = (name, properties) => analytics.track(name, properties);",
            "Object.assign(window, { analytics, guide, track });",
        ]
        made = bundle(tmp_path, name, "\n".join(parts), KEYS["WEB_WRITE_KEY"])
        page = browser.open(site.add_app(name, made))
        page.run("analytics.ready().then(() => 0)")
        opened.append(page)
        return page

    opened = []
    yield open_page
    for page in opened:
        page.close()


def track(page, name, count):
    """Calls track `count` times; returns when the SDK has taken the events."""
    page.run(TRACKS.format(count=count, name=name))


def wait_for(proxy, count):
    wait_until(lambda: len(proxy.acknowledged_ids) >= count, f"{count} events acknowledged", 30)


def numbers(rows):
    return sorted(row["n"] for row in rows.values())


@pytest.mark.parametrize(("strategy", "requests"), [(BATCHING, 1), (STANDARD, 5)])
def test_the_guides_calls_are_stored_as_they_were_made(stand, open_app, strategy, requests):
    proxy = stand.proxy()
    page = open_app(proxy, strategy)

    page.run("localStorage.setItem('ab_variant', 'B'); guide(); 0")
    wait_for(proxy, 5)

    rows = assert_stored(stand, proxy)
    assert len(proxy.exchanges) == requests
    by_type = {event["type"]: rows[id_] for id_, event in proxy.forwarded.items()}
    assert by_type.keys() == {"page", "track", "identify", "group", "alias"}
    order = by_type["track"]
    assert (order["total"], order["currency"], order["ab_variant"]) == (14500, "RUB", "B")
    assert by_type["page"]["locale"] == "ru-RU"
    assert by_type["identify"]["company_name"] == "Example Inc"
    assert by_type["group"]["group_id"] == "company_abc"
    assert by_type["alias"]["previous_id"] == "old_12345"
    assert {row["context_app_version"] for row in rows.values()} == {"1.2.3"}
    assert {row["context_ip"] for row in rows.values()} == {"127.0.0.1"}
    assert {row["source_id"] for row in rows.values()} == {"web"}


def test_what_a_batch_holds_when_the_page_is_left_is_stored(stand, site, open_app):
    proxy = stand.proxy()
    page = open_app(proxy, BATCHING)

    track(page, "Left", 4)
    page.go_to(site.url)  # before the five seconds are over
    wait_for(proxy, 4)

    assert numbers(assert_stored(stand, proxy)) == [0, 1, 2, 3]


@pytest.mark.parametrize("strategy", [BATCHING, STANDARD])
def test_what_is_tracked_offline_is_stored_once_back(stand, open_app, strategy):
    proxy = stand.proxy()
    page = open_app(proxy, strategy)

    page.set_offline(is_offline=True)
    track(page, "Read Offline", 4)
    assert proxy.exchanges == []
    page.set_offline(is_offline=False)
    wait_for(proxy, 4)

    assert numbers(assert_stored(stand, proxy)) == [0, 1, 2, 3]


def test_a_batch_that_a_hidden_tab_sends_twice_is_stored_once(stand, open_app):
    proxy = stand.proxy()
    page = open_app(proxy, BATCHING)

    track(page, "Tab Switched", 4)
    page.show_tab(is_shown=False)
    page.show_tab(is_shown=True)
    wait_until(lambda: len(proxy.acknowledged) == 8, "both batches")

    assert numbers(assert_stored(stand, proxy)) == [0, 1, 2, 3]


def test_what_is_unanswered_when_the_page_is_left_is_sent_at_the_next_visit_and_stored_once(
    stand, site, open_app
):
    proxy = stand.proxy(["hold"] * 4)
    page = open_app(proxy, STANDARD)

    page.run("for (let n = 0; n < 4; n++) track('Link Clicked', {n}); 0")
    wait_until(lambda: len(proxy.exchanges) == 4, "four requests")
    page.go_to(site.url)
    page.go_to(page.url)
    wait_for(proxy, 4)

    assert numbers(assert_stored(stand, proxy)) == [0, 1, 2, 3]
    assert len(proxy.exchanges) == 8


def test_a_browser_asks_once_whether_it_may_send(stand, open_app):
    proxy = stand.proxy()
    page = open_app(proxy, STANDARD)

    for n in range(1, 6):
        page.run(f"track('Asked Once', {{n: {n}}}).then(() => 0)")
        wait_for(proxy, n)

    assert proxy.preflights == ["/v1/t"]


@pytest.mark.parametrize(("strategy", "count"), [(BATCHING, 40), (STANDARD, 12)])
def test_what_the_browser_sends_is_stored_once_whatever_fails(stand, open_app, strategy, count):
    proxy = stand.proxy(FAULTS)
    page = open_app(proxy, strategy)

    track(page, "Tried Again", count)
    wait_for(proxy, count)

    assert numbers(assert_stored(stand, proxy)) == list(range(count))
    assert {*FAULTS} <= {exchange.fault for exchange in proxy.exchanges}
