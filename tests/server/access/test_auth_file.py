"""Who is known by somebody else: an issuer of tokens, a proxy. What is forged lets in nobody."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import AccessRefused, InvalidConfiguration
from databroker.query import nodes as n
from databroker.server.access.auth_file import read_auth_file
from databroker.server.access.authenticator import Credentials
from databroker.server.access.claims import Rules
from databroker.server.access.oidc import OpenIDConnect
from databroker.testing.conformance.base import quick
from helpers.door import AUDIENCE, ISSUER, PROXY, TOKEN

EVERYTHING = {"query": n.Everything()}


def claims(**more):
    now = time.time()
    found = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now + 60, "iat": now}
    return {k: v for k, v in (found | {"proposals": ["1234"]} | more).items() if v is not None}


def signed(door, algorithm="RS256", key=None, header=None, **more):
    headers = {"kid": "one"} if header is None else header
    return jwt.encode(claims(**more), key or door.signing, algorithm, headers)


def by_hand(header, body, sign=lambda data: b""):
    """Return a token as no library would make it."""
    parts = [json.dumps(header).encode(), json.dumps(body).encode()]
    data = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (data + b"." + base64.urlsafe_b64encode(sign(data)).rstrip(b"=")).decode()


def uids(door, token, **more):
    return sorted(run[0] for run in door.answer(token, "find", **EVERYTHING, **more))


def test_a_token_shows_the_runs_of_its_claims(door):
    assert uids(door, signed(door)) == ["mine"]
    assert uids(door, signed(door, proposals=["5678", "9"])) == ["others"]
    assert uids(door, signed(door, groups=["users", "staff"])) == ["mine", "others"]
    assert uids(door, signed(door, proposals=[1234])) == ["mine"]
    assert uids(door, signed(door, proposals=1234)) == ["mine"]
    for none in (
        None,
        [],
        "",
        [True],
        {"1234": 1},
        [["1234"]],
        "1234 5678",
        "01234",
        "9" * 5000,
        1234.0,
    ):
        assert uids(door, signed(door, proposals=none)) == []
    assert uids(door, signed(door, header={})) == ["mine"]  # there is but one key
    answer = door.ask(signed(door), "insert", kind="start", doc={"uid": "x", "time": 1})
    assert answer.status_code == 403


def public_pem(door):
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return door.signing.public_key().public_bytes(*form)


def hs256(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)

FORGED = {
    "signed by nobody": lambda d: by_hand({"alg": "none", "typ": "JWT"}, claims()),
    "NONE": lambda d: by_hand({"alg": "NONE", "kid": "one"}, claims()),
    "no algorithm": lambda d: by_hand({"kid": "one"}, claims()),
    "signed with the public key as a secret": lambda d: by_hand(
        {"alg": "HS256", "kid": "one"}, claims(), hs256(public_pem(d))
    ),
    "signed with its number as a secret": lambda d: by_hand(
        {"alg": "HS256", "kid": "one"}, claims(), hs256(d.jwk["n"].encode())
    ),
    "signed with nothing as a secret": lambda d: by_hand(
        {"alg": "HS256", "kid": "one"}, claims(), hs256(b"")
    ),
    "without its signature": lambda d: signed(d).rpartition(".")[0] + ".",
    "with a changed signature": lambda d: signed(d)[:-8] + "AAAAAAAA",
    "with the signature of another": lambda d: ".".join(
        [*signed(d, proposals=["5678"]).split(".")[:2], signed(d).split(".")[2]]
    ),
    "by another key": lambda d: signed(d, key=OTHER),
    "by another key that it brings": lambda d: signed(
        d, key=OTHER, header={"jwk": jwt.algorithms.RSAAlgorithm.to_jwk(OTHER.public_key(), True)}
    ),
    "by a key that nobody knows": lambda d: signed(d, header={"kid": "two"}),
    "by a key whose name is a path": lambda d: signed(d, header={"kid": "../../../dev/null"}),
    "by another algorithm": lambda d: signed(d, "RS512"),
    "by one with another padding": lambda d: signed(d, "PS256"),
    "of another issuer": lambda d: signed(d, iss="https://evil.example.org"),
    "of an issuer that begins so": lambda d: signed(d, iss=ISSUER + ".evil.org"),
    "of no issuer": lambda d: signed(d, iss=None),
    "for somebody else": lambda d: signed(d, aud="mail"),
    "for others": lambda d: signed(d, aud=["mail", "databroker2"]),
    "for nobody": lambda d: signed(d, aud=None),
    "expired": lambda d: signed(d, exp=time.time() - 60),
    "for ever": lambda d: signed(d, exp=None),
    "not yet": lambda d: signed(d, nbf=time.time() + 600),
    "with a time that is none": lambda d: signed(d, exp="tomorrow"),
    "about nobody": lambda d: signed(d, sub=None),
    "about nobody in particular": lambda d: signed(d, sub=""),
    "not a token": lambda d: "a.b.c",
    "by another kind of algorithm than its key": lambda d: by_hand(
        {"alg": "ES256", "kid": "one"}, claims(), lambda data: b"x" * 64
    ),
    "with a list in place of claims": lambda d: by_hand({"alg": "RS256", "kid": "one"}, [1]),
    "with a number in place of a header": lambda d: by_hand(5, claims()),
    "with a critical extension": lambda d: signed(d, header={"kid": "one", "crit": ["x"], "x": 1}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_token_that_is_forged_is_refused(door, forge):
    answer = door.ask(forge(door), "count", **EVERYTHING)
    assert (answer.status_code, answer.json()["code"]) == (401, "access-refused")
    assert "5678" not in answer.text


@pytest.fixture(scope="module")
def oidc(door):
    return OpenIDConnect(ISSUER, AUDIENCE, {"keys": [door.jwk | {"kid": "one"}]}, Rules("sub"))


@quick(60)
@given(header=st.binary(max_size=40), body=st.binary(max_size=40), end=st.text(max_size=20))
def test_whatever_looks_like_a_token_is_refused(oidc, header, body, end):
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, body)]
    with pytest.raises(AccessRefused):
        oidc.authenticate(Credentials(".".join([*parts, end.replace(".", "")])))


@pytest.mark.parametrize("algorithm", ["HS256", "none", "rs256", ""])
def test_an_algorithm_by_which_anybody_could_sign_is_none(door, algorithm):
    with pytest.raises(InvalidConfiguration, match="could make one"):
        OpenIDConnect(ISSUER, AUDIENCE, {"keys": [door.jwk]}, Rules("sub"), [algorithm])


@pytest.mark.parametrize("keys", [{}, {"keys": []}, "http://login.example.org/keys", "file:///k"])
def test_keys_that_are_none_are_told(keys):
    with pytest.raises(InvalidConfiguration, match="'keys'"):
        OpenIDConnect(ISSUER, AUDIENCE, keys, Rules("sub"))


# -- a proxy -----------------------------------------------------------------------

ANN = [("X-Remote-User", "ann"), ("X-Proposals", "1234, 9")]


def test_the_proxy_says_who_asks(door):
    assert uids(door, None, address=PROXY, headers=ANN) == ["mine"]
    staff = [*ANN, ("X-Groups", "users,staff")]
    assert uids(door, None, address=PROXY, headers=staff) == ["mine", "others"]
    assert uids(door, None, address=PROXY, headers=ANN[:1]) == []


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (None, ANN),
        ("127.0.0.6", ANN),
        ("127.0.0.50", ANN),
        (None, [*ANN, ("X-Forwarded-For", PROXY)]),
        (None, [*ANN, ("X-Real-IP", PROXY), ("Forwarded", f"for={PROXY}")]),
        (None, [*ANN, ("X-Forwarded-For", f"{PROXY}, 127.0.0.1"), ("X-Forwarded-Proto", "https")]),
        (PROXY, []),
        (PROXY, [("X-Remote_User", "ann")]),
        (PROXY, [("X_Remote_User", "ann")]),
        (PROXY, [("X-Remote-User", "")]),
        (PROXY, [("X-Remote-User", "ann"), ("X-Remote-User", "staff")]),
        (PROXY, [("X-Remote-User", "ann"), ("x-remote-user", "ann")]),
        (PROXY, [*ANN, ("X-Proposals", "5678")]),
        (PROXY, [("X-Proposals", "1234")]),
        (PROXY, [*ANN, ("Authorization", "Bearer wrong")]),
    ],
    ids=str,
)
def test_a_header_that_is_smuggled_lets_in_nobody(door, address, headers):
    answer = door.ask(None, "count", address=address, headers=headers, **EVERYTHING)
    assert (answer.status_code, answer.json()["code"]) == (401, "access-refused")


def test_a_header_adds_nothing_to_a_key(door):
    key = door.key("plain", query=n.Equals(n.Path("proposal"), "1234"))
    more = [("X-Remote-User", "root"), ("X-Groups", "staff")]
    for address in (None, PROXY):
        assert uids(door, key, address=address, headers=more) == ["mine"]
        assert uids(door, TOKEN, address=address, headers=more) == ["mine", "others"]


# -- the file that says so ---------------------------------------------------------

KEYS = '{"keys": []}'
OIDC = "oidc:\n  issuer: https://a\n  audience: b\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        ("[]", "must be a mapping"),
        ("oidc: {}", "'issuer' must be a text"),
        (OIDC, "'keys' must be a text"),
        (f"{OIDC}  keys: nowhere.json", "line 4: the keys in nowhere.json cannot be read"),
        (f"{OIDC}  keys: http://a/keys", "https"),
        (f"{OIDC}  keys: {{}}", "no JSON Web Key Set"),
        (f"{OIDC}  keys: keys.json\n  algorithms: [HS256]", "could make one"),
        (f"{OIDC}  keys: keys.json\n  scopes: {{reed: true}}", "line 5: there is no key 'reed'"),
        (f"{OIDC}  keys: keys.json\n  scopes: {{read: maybe}}", "'read' must be true, false"),
        (f"{OIDC}  keys: keys.json\n  runs: [proposal]", "'runs' must be a mapping"),
        (f"{OIDC}  keys: keys.json\n  all_runs: {{groups: staff}}", "'groups' must be a list"),
        ("proxy: {headers: {user: X-User}}", "'addresses' must be a list"),
        ("proxy: {addresses: [nobody], headers: {user: X-User}}", "is none: 'nobody'"),
        (
            "proxy: {addresses: [10.0.0.1], headers: {group: X}}",
            "must say which one has the 'user'",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_told(tmp_path, text, words):
    (tmp_path / "auth.yml").write_text(text)
    (tmp_path / "keys.json").write_text(KEYS)
    with pytest.raises(InvalidConfiguration) as caught:
        read_auth_file(tmp_path / "auth.yml")
    assert words in str(caught.value)


def test_a_file_says_who_is_let_in_and_what_they_may(door, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [door.jwk]}))
    (tmp_path / "auth.yml").write_text(
        f"""
        oidc:
          issuer: {ISSUER}
          audience: {AUDIENCE}
          keys: keys.json
          name: email
          scopes: {{read: true, write: {{groups: [staff]}}}}
          runs: {{proposal: proposals}}
        proxy:
          addresses: [10.0.0.0/24, "::1"]
          headers: {{user: X-Remote-User}}
        """
    )
    proxy, oidc = read_auth_file(tmp_path / "auth.yml")
    token = signed(door, header={}, email="ann@example.org", groups=["staff"])
    ann = oidc.authenticate(Credentials(token))
    assert (ann.name, ann.scopes) == ("oidc:ann@example.org", {"read", "write"})
    assert ann.query == n.In(n.Path("proposal"), ("1234", 1234))
    header = [("x-remote-user", "bob")]
    for address in ("10.0.0.77", "::1", "::ffff:10.0.0.77"):
        assert proxy.authenticate(Credentials(None, address, header)).scopes == {"read"}
    for address in ("10.0.1.77", "::2", "", "10.0.0.77.evil.org"):
        assert proxy.authenticate(Credentials(None, address, header)) is None
