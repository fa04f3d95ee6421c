from datetime import timedelta

import pytest

from loader.config import CollectorConfig, open_workspace, read_config
from loader.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "headwater.yml"
        path.write_text(text)
        return read_config(path)

    return read_text


def complaint(read, text):
    with pytest.raises(ConfigError) as raised:
        read(text)
    return str(raised.value)


def test_an_empty_file_has_every_default(read):
    config = read("# nothing yet\n")

    assert config.warehouse.type == "duckdb"
    assert config.dedupe_days == 30
    assert config.transform_every == timedelta(minutes=15)
    assert config.sources == config.syncs == config.destinations == {}
    assert (config.collector.host, config.collector.port) == ("127.0.0.1", 8080)
    assert config.collector.seal_after == timedelta(seconds=10)
    assert config.retention.archive_days == 400


def test_the_repositorys_own_config_is_read(workspace):
    assert set(workspace.config.sources) == {"web", "server"}


@pytest.mark.parametrize(
    ("text", "place", "guess"),
    [
        ("dedup_days: 3", "dedup_days", "dedupe_days"),
        ("source: {}", "source", "sources"),
        ("sources: {web: {writekey: x}}", "sources.web.writekey", "write_key"),
        ("warehouse: {typ: duckdb}", "warehouse.typ", "type"),
        ("collector: {prot: 80}", "collector.prot", "port"),
        ("retention: {archive: 3}", "retention.archive", "archive_days"),
        (
            "sources: {web: {oauth: {client: a, public_key: b}}}",
            "sources.web.oauth.client",
            "client_id",
        ),
        ("warehouse: {type: duckd}", "warehouse.type", "duckdb"),
        (
            "destinations: {crm: {type: webhook}}\n"
            "syncs: {s: {destination: cmr, audience: big_spenders}}",
            "syncs.s.destination",
            "crm",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(read, text, place, guess):
    message = complaint(read, text)

    assert f"headwater.yml: {place}" in message
    assert f"Fix: did you mean '{guess}'?" in message


def test_a_name_like_no_other_is_refused_with_all_that_are_known(read):
    message = complaint(read, "warehouse: {zzz: 1}")

    assert "warehouse.zzz" in message
    assert "Fix: known here: base_url, dataset," in message


def _alert(setting):
    return f"contracts: {{alerts: [{{type: webhook, url: x, {setting}}}]}}"


@pytest.mark.parametrize(
    ("text", "place", "wanted"),
    [
        ("dedupe_days: many", "dedupe_days", "a whole number"),
        ("dedupe_days: true", "dedupe_days", "a whole number"),
        ("dedupe_days: 1.5", "dedupe_days", "a whole number"),
        ("dedupe_days: 0", "dedupe_days", "1 or more"),
        ("transform_every: 15", "transform_every", "a duration such as 30s, 15m or 1h"),
        ("transform_every: soon", "transform_every", "a duration"),
        ("collector: {port: -1}", "collector", "port: wanted 0 (any free one) to 65535"),
        ("collector: {port: 65536}", "collector", "port: wanted 0 (any free one) to 65535"),
        ("collector: {port: '8080'}", "collector.port", "a whole number"),
        ("collector: {workers: 0}", "collector", "workers: wanted 1 or more"),
        ("collector: {segment_megabytes: 0}", "collector", "segment_megabytes: wanted 1 or more"),
        ("collector: {spool_megabytes: 0}", "collector", "spool_megabytes: wanted 1 or more"),
        ("collector: {seal_after: 10}", "collector.seal_after", "a duration"),
        ("collector: {seal_after: 0s}", "collector", "seal_after: wanted more than nothing"),
        ("collector: {trusted_proxies: 10.0.0.1}", "collector.trusted_proxies", "a list"),
        ("collector: {trusted_proxies: [proxy]}", "collector", "trusted_proxies: 'proxy'"),
        ("collector: {trusted_proxies: [10.0.0.1/8]}", "collector", "has host bits set"),
        ("retention: {archive_days: 0}", "retention", "archive_days: wanted 1 or more"),
        ("retention: {violations_days: 0}", "retention", "violations_days: wanted 1 or more"),
        (_alert("violation_rate: 5"), "contracts.alerts[0].violation_rate", "such as 5%"),
        (_alert("violation_rate: 0%"), "contracts.alerts[0]", "wanted more than 0%"),
        (_alert("volume_change: half"), "contracts.alerts[0].volume_change", "such as 5%"),
        (_alert("window: 2d"), "contracts.alerts[0]", "window: wanted 5m to 1d"),
        (_alert("every: 0s"), "contracts.alerts[0]", "every: wanted more than nothing"),
        (_alert("minimum_events: 0"), "contracts.alerts[0]", "minimum_events: wanted 1 or more"),
        (_alert("violations: false"), "contracts.alerts[0]", "it tells of nothing"),
        ("contracts: {alerts: [{type: webhook}]}", "contracts.alerts[0]", "'url' is missing"),
        ("contracts: {alerts: [{url: x}]}", "contracts.alerts[0]", "'type' is missing"),
        ("sources: {web: {requests_per_second: 0}}", "sources.web", "wanted 1 or more"),
        ("sources: {web: {oauth: {client_id: a}}}", "sources.web.oauth", "'public_key' is missing"),
        ("sources: {web: {oauth: {public_key: a}}}", "sources.web.oauth", "'client_id' is missing"),
        ("sources: [web]", "sources", "a mapping"),
        ("sources: {web: key}", "sources.web", "a mapping"),
        ("- dedupe_days", "top level", "a mapping"),
        ("just text", "top level", "a mapping"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(read, text, place, wanted):
    message = complaint(read, text)

    assert place in message
    assert wanted in message


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: b: c", "\x00"])
def test_what_is_no_yaml_is_refused(read, text):
    assert "not readable as YAML" in complaint(read, text)


@pytest.mark.parametrize(
    ("sync", "wanted"),
    [
        ("{destination: crm}", "name either `model` or `audience`"),
        ("{destination: crm, model: m, audience: a}", "name either `model` or `audience`"),
        ("{destination: crm, model: users}", "needs `key`"),
        ("{model: users}", "'destination' is missing"),
    ],
)
def test_a_sync_says_what_it_lacks(read, sync, wanted):
    message = complaint(read, f"destinations: {{crm: {{type: webhook}}}}\nsyncs: {{s: {sync}}}")

    assert "syncs.s" in message
    assert wanted in message


def test_a_section_that_is_only_comments_is_as_if_left_out(read):
    assert read("sources:\n  # web:\ndestinations:\n").sources == {}


def test_a_destination_keeps_its_settings_for_its_type_to_check(read):
    config = read("destinations: {crm: {type: webhook, base_url: https://example.com}}")

    assert config.destinations["crm"].settings == {"base_url": "https://example.com"}


def test_a_workspace_is_found_from_a_folder_inside_of_it(workspace, monkeypatch):
    monkeypatch.chdir(workspace.schemas / "track")

    assert open_workspace(None).root == workspace.root.resolve()


def test_where_there_is_no_workspace_the_message_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="headwater init"):
        open_workspace(tmp_path)


@pytest.mark.parametrize("name", ["what?", "back\\slash"])
def test_a_path_that_duckdb_would_misread_is_refused(workspace, name):
    moved = workspace.root.rename(workspace.root.with_name(name))

    with pytest.raises(ConfigError, match="rename that folder"):
        open_workspace(moved)


def test_a_reference_may_stand_unquoted_inside_braces(read):
    config = read("sources:\n  web: {write_key: ${WEB_WRITE_KEY}}\n")

    key = config.sources["web"].write_key
    assert key is not None
    assert key.template == "${WEB_WRITE_KEY}"


def test_every_key_of_the_collector_can_be_set(read):
    config = read(
        "collector: {host: 0.0.0.0, port: 0, workers: 4, public_url: https://events.example.com,"
        " trusted_proxies: [127.0.0.1, 10.0.0.0/8, '::1'], analytics_js: node_modules/a,"
        " seal_after: 500ms, segment_megabytes: 1, spool_megabytes: 2}"
    )

    assert config.collector == CollectorConfig(
        host="0.0.0.0",
        port=0,
        workers=4,
        public_url="https://events.example.com",
        trusted_proxies=("127.0.0.1", "10.0.0.0/8", "::1"),
        analytics_js="node_modules/a",
        seal_after=timedelta(milliseconds=500),
        segment_megabytes=1,
        spool_megabytes=2,
    )


def test_a_public_key_may_stand_in_the_file_as_it_is(read):
    key = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"
    lines = "".join(f"        {line}\n" for line in key.splitlines())
    config = read(f"sources:\n  web:\n    oauth:\n      client_id: a\n      public_key: |\n{lines}")

    oauth = config.sources["web"].oauth
    assert oauth is not None
    assert oauth.public_key.reveal() == key


def test_enrichment_is_on_but_for_the_country(read):
    enrichment = read("enrichment: {bots: off}").enrichment

    assert (enrichment.user_agent, enrichment.campaign, enrichment.bots) == (True, True, False)
    assert enrichment.country is False
    assert read("enrichment: {country: geo.mmdb}").enrichment.country == "geo.mmdb"
    assert read("enrichment: {country: off}").enrichment.country is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("enrichment: {country: on}", "enrichment: country: wanted a MaxMind file's path, or off"),
        ("enrichment: {country: 5}", "enrichment.country: found 5 (int), wanted a string"),
        ("enrichment: {bots: geo.mmdb}", "enrichment.bots: found 'geo.mmdb'"),
        ("transformations: {event: A}", "transformations: found {'event': 'A'} (dict)"),
        ("middleware: a:b", "middleware: found 'a:b' (str), wanted a list"),
        ("transformations: [{if_: {}}]", "transformations[0].if_: unknown key"),
    ],
)
def test_a_wrong_key_of_the_pipeline_is_told(read, text, told):
    assert told in complaint(read, text)


@pytest.mark.parametrize(
    ("text", "rewrites"),
    [
        ("", False),
        ("enrichment: {country: geo.mmdb}", False),
        ("privacy: {hash_salt: a}", False),
        ("privacy: {suppress: gone.txt}", False),
        ("privacy: {anonymize_ip: true}", True),
        ("privacy: {hash: [traits.email]}", True),
        ("transformations: [{drop_event: true}]", True),
        ("middleware: ['a:b']", True),
    ],
)
def test_whether_events_are_stored_as_they_came(read, text, rewrites):
    assert read(text).rewrites_events is rewrites


def test_a_source_has_what_it_says_of_contracts_over_what_holds_for_all(read):
    config = read(
        "contracts: {on_violation: omit, violation_events: true}\n"
        "sources: {web: {contracts: {on_violation: allow, violation_events: false}}, app: {}}\n"
    )
    web, app = (config.sources[name].contracts.over(config.contracts) for name in ("web", "app"))

    assert (web.on_violation, web.violation_events) == ("allow", False)
    assert app == config.contracts
    assert (app.on_violation, app.violation_events) == ("omit", True)
    assert (app.unplanned_events, app.unplanned_properties) == ("allow", "allow")


@pytest.mark.parametrize(
    ("text", "place", "guess"),
    [
        ("contracts: {on_violations: omit}", "contracts.on_violations", "on_violation"),
        ("contracts: {on_violation: omitt}", "contracts.on_violation", "omit"),
        ("contracts: {unplanned_properties: block}", "contracts.unplanned_properties", "omit"),
        ("sources: {web: {contracts: {unplanned: x}}}", "sources.web.contracts", "unplanned_"),
    ],
)
def test_a_slip_in_a_policy_is_told(read, text, place, guess):
    message = complaint(read, text)

    assert place in message
    assert guess in message


def test_an_alert_is_read_with_its_percentages_and_its_address_is_a_secret(read):
    alert = "{type: webhook, url: ${ALERT_URL}, violation_rate: 5%, volume_change: 12.5 %}"

    [found] = read(f"contracts: {{alerts: [{alert}]}}").contracts.alerts

    assert (found.violation_rate, found.volume_change) == (0.05, 0.125)
    assert (found.format, found.every, found.violations) == ("slack", timedelta(hours=1), True)
    assert "ALERT_URL" not in repr(found)
