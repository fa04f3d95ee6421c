"""The keys behind tokens: clients' public ones, and the secret one that signs."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loader.collector.tokens import TokenIssuer, load_signing_key
from loader.errors import ConfigError, StorageError
from tests.collector.test_tokens import OURS, SECRET, Clock, ask, public_pem, signed


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_key_in_an_environment_variable_may_have_its_line_breaks_escaped():
    pem = public_pem(OURS).replace("\n", "\\n")

    assert ask(TokenIssuer({"app": ("server", pem)}, SECRET, Clock()), signed())[0].status == 200


@pytest.mark.parametrize(
    ("pem", "found"),
    [
        ("", "not PEM"),
        ("é", "not PEM"),
        (private_pem(OURS), "not PEM"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "PublicKey of 256 bits"),
        (public_pem(ed25519.Ed25519PrivateKey.generate()), "Ed25519PublicKey"),
        (public_pem(rsa.generate_private_key(65537, 1024)), "RSAPublicKey of 1024 bits"),
    ],
    ids=["empty", "text", "private", "ec", "ed25519", "short"],
)
def test_a_key_that_is_no_rsa_public_key_is_told_with_its_source(pem, found):
    with pytest.raises(ConfigError) as problem:
        TokenIssuer({"app": ("server", pem)}, SECRET)

    assert "sources.server.oauth.public_key" in problem.value.message
    assert found in problem.value.message
    assert "PRIVATE" not in str(problem.value)


def test_the_signing_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "new" / "token.key"

    first, second = load_signing_key(path), load_signing_key(path)

    assert first == second
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_all_who_ask_for_the_signing_key_at_once_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        for turn in range(20):
            path = tmp_path / f"{turn}.key"
            found = set(pool.map(load_signing_key, [path] * 8))

            assert len(found) == 1


def test_a_signing_key_that_is_not_one_of_ours_is_told(tmp_path):
    path = tmp_path / "token.key"
    path.write_bytes(b"short")

    with pytest.raises(ConfigError, match="5 bytes; wanted a key of 32"):
        load_signing_key(path)


def test_a_disk_that_refuses_the_signing_key_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StorageError):
        load_signing_key(tmp_path / "file" / "token.key")
