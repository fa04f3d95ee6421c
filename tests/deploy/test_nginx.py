"""nginx.conf, changed in names and ports only, between a client with TLS and real collectors."""

import http.client
import itertools
import json
import os
import socket
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager

import pytest

from tests.collector.child import (
    BASIC,
    collecting,
    configure,
    spooled,
    start_collector,
    wait_until,
)
from tests.conftest import make_workspace
from tests.deploy.files import DEPLOY
from tests.sdks.needs import need

CLIENT = "127.0.0.5"  # another address than the proxy's, which is believed


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


class Proxy:
    """nginx with our example; `backends` are the ports that it knows collectors at."""

    def __init__(self, folder):
        self.tls, self.plain, *self.backends = free_ports(4)
        self.folder = folder
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subject = ["-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", certificate]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject],
            check=True,
            capture_output=True,
        )
        changes = {
            "/etc/ssl/headwater/fullchain.pem": str(certificate),
            "/etc/ssl/headwater/privkey.pem": str(key),
            "127.0.0.1:8080": f"127.0.0.1:{self.backends[0]}",
            "127.0.0.1:8081": f"127.0.0.1:{self.backends[1]}",
            "listen [::]:443 ssl;": "",
            "listen [::]:80;": "",
            "listen 443 ssl": f"listen 127.0.0.1:{self.tls} ssl",
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
        }
        text = (DEPLOY / "nginx.conf").read_text()
        for old, new in changes.items():
            assert old in text, f"nginx.conf no longer says {old}"
            text = text.replace(old, new)
        (folder / "headwater.conf").write_text(text)
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = " ".join(f"{name}_temp_path {folder / name};" for name in names)
        self.config = folder / "nginx.conf"
        self.config.write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder / 'pid'};"
            f" error_log {folder / 'error.log'}; events {{}}"
            f" http {{ {places} include {folder / 'headwater.conf'}; }}"
        )

    def command(self, *options):
        return ["nginx", "-p", self.folder, "-c", self.config, *options]

    @contextmanager
    def serving(self):
        log = self.folder / "error.log"
        process = subprocess.Popen(self.command("-e", log))
        try:
            wait_until(
                lambda: answers(self.tls) or process.poll() is not None, "nginx answers or ends"
            )
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)

    def connect(
        self,
    ):
        context = ssl.create_default_context(cafile=self.folder / "certificate.pem")
        return closing(
            http.client.HTTPSConnection(
                "localhost", self.tls, timeout=20, context=context, source_address=(CLIENT, 0)
            )
        )

    def ask(self, method, path, body=None, headers=None):
        """Status and body of the answer, over TLS."""
        with self.connect() as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    need("nginx", "openssl")
    proxy = Proxy(tmp_path_factory.mktemp("nginx"))
    with proxy.serving():
        yield proxy


@pytest.fixture(scope="module")
def collector(proxy, tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("behind") / "workspace")
    configure(workspace, collector={"trusted_proxies": ["127.0.0.1"]})
    with collecting(workspace, "--port", str(proxy.backends[0])) as collector:
        collector.workspace = workspace
        yield collector


def test_nginx_finds_nothing_wrong_with_the_example(proxy):
    ended = subprocess.run(
        proxy.command("-e", "stderr", "-t"), capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert "warn" not in ended.stderr


def test_the_client_is_who_connected_to_the_proxy_whatever_it_says_itself(proxy, collector):
    lie = {**BASIC, "X-Forwarded-For": "198.51.100.1"}
    event = json.dumps({"type": "track", "event": "Seen", "userId": "u"})

    assert proxy.ask("POST", "/v1/track", event, lie) == (200, b'{"success":true}')

    [line] = [line for line in spooled(collector.workspace) if line["body"].get("event") == "Seen"]
    assert line["ip"] == CLIENT


def test_a_browser_is_told_to_send_to_the_address_at_which_it_asked(proxy, collector):
    _, settings = proxy.ask("GET", "/v1/projects/wk_web/settings")

    found = json.loads(settings)["integrations"]["Segment.io"]
    assert found["apiHost"] == f"localhost:{proxy.tls}/v1"
    assert found["protocol"] == "https"


@pytest.mark.parametrize(("length", "status"), [(5 * 2**20, 200), (5 * 2**20 + 1, 413)])
def test_how_large_a_body_may_be_is_for_the_collector_to_say(proxy, collector, length, status):
    body = b'{"type":"track","event":"Large","userId":"u","properties":{"text":"%b"}}'
    body %= b"x" * (length - len(body) + 2)

    found, answer = proxy.ask("POST", "/v1/track", body, BASIC)

    assert (len(body), found) == (length, status)
    assert json.loads(answer)["success"] is (status == 200)


def test_an_event_in_an_address_comes_through(proxy, collector):
    query = f"writeKey=wk_web&userId=u&event=Opened&properties.text={'x' * 60_000}"

    status, image = proxy.ask("GET", f"/v1/pixel/track?{query}")

    assert (status, image[:3]) == (200, b"GIF")
    assert any(line["body"].get("event") == "Opened" for line in spooled(collector.workspace))


@pytest.mark.parametrize("path", ["/metrics", "/ready"])
def test_what_is_for_the_machine_itself_is_not_for_everybody(proxy, collector, path):
    assert collector.get(path)[0] == 200
    assert proxy.ask("GET", path)[0] == 404


def test_without_tls_nothing_is_taken_and_nothing_redirected(proxy, collector):
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=20)) as connection:
        connection.request("POST", "/v1/track", b"{}", BASIC)

        assert connection.getresponse().status == 404


def test_a_restart_with_a_second_collector_beside_refuses_and_loses_nothing(tmp_path):
    need("nginx", "openssl")
    workspace = make_workspace(tmp_path / "workspace")
    configure(workspace)
    proxy = Proxy(tmp_path)
    ports = [("--port", str(port)) for port in proxy.backends]
    collectors = [start_collector(workspace, *ports[0])]
    with proxy.serving(), sending(proxy) as sent:
        try:
            sent.goes_on()
            collectors.append(start_collector(workspace, *ports[1]))
            collectors[0].stop()
            sent.goes_on()
            collectors.append(start_collector(workspace, *ports[0]))
            sent.goes_on()
            collectors[1].stop()
            sent.goes_on()
        finally:
            sent.is_over = True
            for collector in collectors:
                collector.stop()

    stored = {line["body"]["messageId"] for line in spooled(workspace)}
    assert {name: status for name, status in sent.answers.items() if status != 200} == {}
    assert set(sent.answers) <= stored


class Sent:
    """What a client has sent so far, and how it was answered."""

    def __init__(self):
        self.answers = {}
        self.is_over = False

    def goes_on(self):
        """Return after some more events."""
        enough = len(self.answers) + 30
        wait_until(lambda: len(self.answers) >= enough, "events are answered")


@contextmanager
def sending(proxy):
    """Events, one after the other on one connection, until `is_over`."""
    sent = Sent()

    def send():
        with proxy.connect() as connection:
            for number in itertools.count():
                body = {"event": "E", "userId": "u", "messageId": f"m{number}"}
                connection.request("POST", "/v1/track", json.dumps(body), BASIC)
                answer = connection.getresponse()
                answer.read()
                if sent.is_over:
                    return
                sent.answers[body["messageId"]] = answer.status

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        sent.is_over = True
        thread.join()
