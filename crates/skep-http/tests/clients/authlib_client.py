"""Authlib against a live daemon: registration, code with PKCE, refresh, revocation, as a bearer client."""

import os
import re

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

ISSUER = os.environ["SKEP_ISSUER"]
COOKIE = {"Cookie": os.environ["SKEP_COOKIE"]}
REDIRECT = "http://127.0.0.1:4321/cb"


def hidden(html):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return {name: value.replace("&amp;", "&") for name, value in found}


metadata = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server").json()
assert metadata["issuer"] == ISSUER
registered = requests.post(
    metadata["registration_endpoint"],
    json={"client_name": "Authlib", "redirect_uris": ["http://127.0.0.1/cb"]},
)
assert registered.status_code == 201, registered.text
session = OAuth2Session(
    registered.json()["client_id"],
    redirect_uri=REDIRECT,
    token_endpoint_auth_method="none",
    revocation_endpoint_auth_method="none",
    code_challenge_method="S256",
)
verifier = "a-verifier-of-forty-three-characters-or-more"
url, state = session.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier
)
page = requests.get(url, headers=COOKIE).text
home = re.search(r'name="home" value="([^"]+)"', page).group(1)
sent = requests.post(
    metadata["authorization_endpoint"],
    data={**hidden(page), "home": home, "do": "allow"},
    headers=COOKIE,
    allow_redirects=False,
)
assert sent.status_code == 303, sent.text
token = session.fetch_token(
    metadata["token_endpoint"],
    authorization_response=sent.headers["Location"],
    state=state,
    code_verifier=verifier,
)
assert token["token_type"] == "Bearer"
assert session.get(f"{ISSUER}/api/v1/whoami").json()["credential_kind"] == "login"
old = token["refresh_token"]
fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=old)
assert fresh["refresh_token"] != old
assert session.get(f"{ISSUER}/api/v1/whoami").status_code == 200
revoked = session.revoke_token(metadata["revocation_endpoint"], fresh["refresh_token"])
assert revoked.status_code == 200, revoked.text
assert requests.get(
    f"{ISSUER}/api/v1/whoami", headers={"Authorization": f"Bearer {fresh['access_token']}"}
).status_code == 401
try:
    session.refresh_token(metadata["token_endpoint"], refresh_token=fresh["refresh_token"])
except OAuthError as error:
    assert error.error == "invalid_grant", error
else:
    raise AssertionError("a revoked login was refreshed")
