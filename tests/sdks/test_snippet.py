"""The guide's snippet, with the script that the collector serves, in Chromium."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.collector.child import KEYS, wait_until
from tests.sdks.how_to import block
from tests.sdks.stand import assert_stored

TRACK = "analytics.track('Snippet Used', {total: 14.5, tags: ['a', 'b']}).then(() => 0)"


@pytest.fixture
def tls(tmp_path):
    """A certificate that nobody signed; the browser is told not to mind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "tls.pem").write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    return context


def snippet(host):
    code = block("browser", "The classic snippet, with the script's host changed:", host=host)
    return code.replace("YOUR_WRITE_KEY", KEYS["WEB_WRITE_KEY"])


def assert_snippet_delivers(stand, proxy, browser, url):
    page = browser.open(url)
    page.run("new Promise((resolve) => analytics.ready(() => resolve(0)))")
    page.run(TRACK)
    wait_until(lambda: len(proxy.acknowledged) == 2, "the page and the track")
    page.close()

    rows = assert_stored(stand, proxy)
    by_type = {event["type"]: rows[id_] for id_, event in proxy.forwarded.items()}
    assert by_type["page"]["title"] == "Snippet"
    assert (by_type["track"]["total"], by_type["track"]["tags"]) == (14.5, '["a","b"]')
    assert {exchange.path for exchange in proxy.exchanges} == {"/v1/p", "/v1/t"}


def test_over_https_only_the_scripts_host_is_changed(stand, browser, site, tls):
    proxy = stand.proxy(tls=tls)
    url = site.add_page("https", f"<!doctype html><title>Snippet</title>{snippet(proxy.url)}")

    assert_snippet_delivers(stand, proxy, browser, url)


def test_over_plain_http_the_snippet_is_told_its_host(stand, browser, site):
    proxy = stand.proxy()
    told = block("browser", "in the line before `analytics.load`:", host=proxy.url)
    load = "analytics.load("
    code = snippet(proxy.url).replace(load, f"{told}{load}")
    url = site.add_page("http", f"<!doctype html><title>Snippet</title>{code}")

    assert_snippet_delivers(stand, proxy, browser, url)
