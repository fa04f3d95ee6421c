import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet


@pytest.fixture(scope="session")
def country_file(tmp_path_factory):
    """A file in MaxMind's format that knows three networks."""
    writer = MMDBWriter(6, "Test-Country", ipv4_compatible=True)
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "NL"}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "FR"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"continent": {"code": "EU"}})
    path = tmp_path_factory.mktemp("country") / "country.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def event():
    """A track call, normalised."""
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m1",
        "userId": "u1",
        "properties": {"total": 120, "currency": "EUR", "card": {"number": "4111", "type": "v"}},
        "traits": {},
        "context": {"ip": "203.0.113.77", "traits": {"email": "anna@example.com"}},
        "integrations": {},
    }
