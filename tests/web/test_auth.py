"""Authentication through real nginx and real lighttpd: tokens that the openssl command signed, API keys, passwords."""

import base64
import os
import signal
import subprocess
import time

import auth_files
import pytest
import servers

pytestmark = pytest.mark.alone

REALM = r'realm="the \"shop\""'


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def challenge(reply):
    return reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("algorithm", auth_files.ALGORITHMS)
def test_a_token_that_openssl_signed_says_who_asks(surface_front, keys, algorithm):
    token = keys.sign(algorithm, {"scope": "orders:read orders:write", "roles": ["manager"], "team": "blue"})
    reply = surface_front.ask("GET", "/auth/token", headers=bearer(token))
    assert reply.status == 200
    assert reply.json == {
        "kind": 1, "subject": "alice", "issuer": "https://id.example.org", "team": "blue",
        "scopes": ["orders:read", "orders:write"], "roles": ["manager"]}


def test_without_a_token_there_is_a_challenge_and_no_error(surface_front):
    for headers in ({}, basic("alice", "wonder:land"), {"Authorization": "Bearerx"}):
        reply = surface_front.ask("GET", "/auth/token", headers=headers)
        assert reply.status == 401
        assert challenge(reply) == f"Bearer {REALM}"
        assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a.b.c, Bearer a.b.c", 'bearer "a"'])
def test_a_header_that_is_no_bearer_token_is_a_bad_request(surface_front, header):
    reply = surface_front.ask("GET", "/auth/token", headers={"Authorization": header})
    assert reply.status == 400
    assert challenge(reply).startswith(f'Bearer {REALM}, error="invalid_request", error_description="')


REFUSED = {
    "expired": ({"exp": int(time.time()) - 60}, {}, "it has expired"),
    "not yet": ({"nbf": int(time.time()) + 60}, {}, "its time has not come (nbf)"),
    "from the future": ({"iat": int(time.time()) + 60}, {}, "it was issued in the future (iat)"),
    "without an end": ({"exp": None}, {}, "its claims are no JSON object with an exp, or one has a wrong type"),
    "of another issuer": ({"iss": "https://evil.example.org"}, {}, "its issuer is not the one that is wanted here"),
    "for others": ({"aud": ["bank", "post"]}, {}, "it is for another audience"),
    "with odd claims": ({"team": "x" * 21}, {}, "its claims are not those that this service wants"),
    "critical": ({}, {"crit": ["exp"]}, "its header has crit"),
    "unsigned": ({}, {"alg": "none"}, "its alg is none of HS256, RS256, ES256, EdDSA"),
    "of another kind": ({}, {"alg": "RS256"}, "its alg is not that of its key"),
    "of no key": ({}, {"kid": "../../etc/passwd' OR 1=1"}, "no key has its kid"),
}


@pytest.mark.parametrize("claims, header, reason", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_is_refused_with_its_reason(surface_front, keys, claims, header, reason):
    reply = surface_front.ask("GET", "/auth/token", headers=bearer(keys.sign("ES256", claims, header)))
    assert reply.status == 401
    detail = f"The token is refused: {reason}."
    assert reply.json["detail"] == detail
    assert challenge(reply) == f'Bearer {REALM}, error="invalid_token", error_description="{detail}"'


def test_a_public_key_is_no_secret(surface_front, keys):
    """Algorithm confusion: HMAC with what everybody may know of an RSA key."""
    token = keys.sign("HS256", header={"kid": "key-RS256"}, secret=keys.public_pem("RS256"))
    reply = surface_front.ask("GET", "/auth/token", headers=bearer(token))
    assert reply.status == 401
    assert "its alg is not that of its key" in reply.json["detail"]


def test_a_key_in_the_token_is_not_looked_at(surface_front, keys):
    other = {"jwk": keys.public_parts("EdDSA"), "kid": "key-ES256", "alg": "ES256", "jku": "https://evil.example.org/"}
    reply = surface_front.ask("GET", "/auth/token", headers=bearer(keys.sign("EdDSA", header=other)))
    assert reply.status == 401
    assert "its signature is not that of its key" in reply.json["detail"]


def test_a_long_token_is_refused_by_the_setting(surface, keys):
    reply = surface.ask("GET", "/auth/token", HTTP_AUTHORIZATION="Bearer " + "x" * 8193)
    assert reply.status == 401
    assert b"more than 8192 bytes (setting auth_token_max)" in reply.body
    assert surface.metric('leat_auth_refused_total{reason="auth_token_max"}') >= 1


def test_a_caller_without_the_scope_is_told_which(surface_front, keys):
    token = keys.sign("ES256", {"scope": "orders:read"})
    reply = surface_front.ask("GET", "/auth/token/write", headers=bearer(token))
    assert reply.status == 403
    assert challenge(reply) == 'Bearer error="insufficient_scope", scope="orders:read orders:write"'
    token = keys.sign("ES256", {"scp": ["orders:write", "orders:read"]})
    assert surface_front.ask("GET", "/auth/token/write", headers=bearer(token)).status == 200


def test_a_caller_without_the_role_is_refused(surface_front, keys):
    for roles, status in ((["clerk"], 403), ("manager", 200), (["clerk", "manager"], 200), ({"manager": True}, 403)):
        token = keys.sign("ES256", {"roles": roles})
        assert surface_front.ask("GET", "/auth/token/manage", headers=bearer(token)).status == status


def test_a_handlers_own_401_has_the_challenge(surface_front, keys):
    reply = surface_front.ask("GET", "/auth/token/revoked", headers=bearer(keys.sign("ES256")))
    assert reply.status == 401
    assert challenge(reply) == f"Bearer {REALM}"


def test_a_scope_without_authentication_lets_nobody_in(surface_front):
    assert surface_front.ask("GET", "/auth/nobody").status == 500


def test_keys_are_read_again_when_the_file_changes(surface, keys):
    def status(algorithm):
        return surface.ask("GET", "/auth/token", HTTP_AUTHORIZATION=f"Bearer {keys.sign(algorithm)}").status

    try:
        keys.write_jwks("RS256")
        surface.wait_for(lambda: status("EdDSA") == 401, "the key is gone")
        assert status("RS256") == 200
        keys.replace("jwks.json", '{"keys": [')
        surface.wait_for(lambda: "jwks.json line 1, column 11" in surface.log(), "the fault is in the log")
        assert status("RS256") == 200
        assert surface.metric('leat_auth_file_changes_total{result="fault"}') >= 1
    finally:
        keys.write_jwks(*auth_files.ALGORITHMS)
    surface.wait_for(lambda: status("EdDSA") == 200, "the key is back")


def test_a_process_that_starts_later_has_the_newest_keys(start_leat, folder):
    own = auth_files.AuthFiles(folder / "later-keys")
    service = start_leat("tests/web/surface/surface", auth_folder=own.folder).wait_ready()
    own.write_jwks("RS256")
    old = service.worker_pids()[0]
    os.kill(old, signal.SIGKILL)
    service.wait_for(lambda: service.worker_pids() not in ([], [old]), "another process is there")
    header = f"Bearer {own.sign('ES256')}"
    reply = service.wait_for(lambda: service.ask("GET", "/auth/token", HTTP_AUTHORIZATION=header), "it answers")
    assert reply.status == 401
    assert service.ask("GET", "/auth/token", HTTP_AUTHORIZATION=f"Bearer {own.sign('RS256')}").status == 200


def test_an_api_key_says_who_asks(surface_front):
    reply = surface_front.ask("GET", "/auth/key", headers={"X-API-Key": auth_files.API_KEY})
    assert reply.json == {
        "kind": 2, "subject": "backup", "issuer": None, "team": None, "scopes": ["orders:read"], "roles": []}


@pytest.mark.parametrize("key", ["", "wrong", auth_files.API_KEY + " x", auth_files.API_KEY[:-1]])
def test_a_wrong_api_key_is_refused(surface_front, key):
    reply = surface_front.ask("GET", "/auth/key", headers={"X-API-Key": key})
    assert reply.status == 401
    assert challenge(reply) == 'ApiKey realm="machines", header="X-API-Key"'


def test_an_api_key_has_scopes(surface_front):
    reply = surface_front.ask("GET", "/auth/key/write", headers={"X-API-Key": auth_files.API_KEY})
    assert reply.status == 403
    assert "WWW-Authenticate" not in reply.headers
    assert surface_front.ask("GET", "/auth/key/write", headers={"X-API-Key": auth_files.OTHER_API_KEY}).status == 200


def test_the_service_may_look_keys_up_itself(surface_front):
    reply = surface_front.ask("GET", "/auth/found-key", headers={"X-Token": "a key that the service itself looks up"})
    assert reply.json["subject"] == "looked up"
    reply = surface_front.ask("GET", "/auth/found-key", headers={"X-Token": "another"})
    assert reply.status == 401
    assert challenge(reply) == 'ApiKey header="X-Token"'


@pytest.mark.parametrize("user, password", [("alice", "wonder:land"), ("bob", "ümlaut")])
def test_a_user_with_a_password(surface_front, user, password):
    reply = surface_front.ask("GET", "/auth/password", headers=basic(user, password))
    assert reply.status == 200
    assert (reply.json["kind"], reply.json["subject"]) == (3, user)


@pytest.mark.parametrize("user, password", [
    ("alice", "wonder"), ("alice", ""), ("", ""), ("nobody", "wonder:land"), ("alice", "wonder:land\0"),
    ("bob", "x" * 600), ("alice\n", "wonder:land"),
])
def test_a_wrong_password_is_refused(surface_front, user, password):
    reply = surface_front.ask("GET", "/auth/password", headers=basic(user, password))
    assert reply.status == 401
    assert challenge(reply) == r'Basic realm="the \\ \"office\"", charset="UTF-8"'


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YWxpY2U=", "Basic YWxpY2U6d29uZGVyOmxhbmQ", "Bearer x"])
def test_credentials_that_are_none_are_refused(surface_front, header):
    assert surface_front.ask("GET", "/auth/password", headers={"Authorization": header}).status == 401


def test_the_service_may_look_users_up_itself(surface_front):
    reply = surface_front.ask("GET", "/auth/found-password", headers=basic("carol", "secret"))
    assert (reply.status, reply.json["roles"]) == (200, ["clerk"])
    assert surface_front.ask("GET", "/auth/found-password", headers=basic("carol", "wrong")).status == 401
    assert surface_front.ask("GET", "/auth/found-password", headers=basic("dave", "secret")).status == 401
    assert surface_front.ask("GET", "/auth/found-password", headers=basic("broken", "secret")).status == 503


def test_credentials_are_in_no_log(surface_front, surface, keys):
    token = keys.sign("ES256", {"exp": 1})
    surface_front.ask("GET", "/auth/token", headers=bearer(token))
    surface_front.ask("GET", "/auth/key", headers={"X-API-Key": "not-to-be-logged"})
    surface_front.ask("GET", "/auth/password", headers=basic("alice", "not-to-be-logged"))
    logged = surface.log() + surface.access_log.read_text()
    assert token not in logged
    assert "not-to-be-logged" not in logged


@pytest.mark.parametrize("command, status", [("check", 2), ("serve", 1)])
def test_a_missing_file_ends_the_start(tmp_path, command, status):
    done = subprocess.run(
        [servers.build_folder() / "tests/web/surface/surface", command, "--set", f"auth_folder={tmp_path}",
         "--set", f"listen=unix:{tmp_path}/leat.sock", "--set", "admin_listen="],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    for name in ("jwks.json", "api-keys", "users"):
        assert f"{name} (in {tmp_path}) cannot be opened: No such file or directory" in done.stderr
    assert done.stderr.count("jwks.json") == 1
