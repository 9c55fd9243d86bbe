// openid-client against a live daemon: registration, code with PKCE, refresh, revocation, the device flow,
// all with proofs of possession. The human's part is played with the cookie of their session.
import * as oauth from 'openid-client';
import assert from 'node:assert/strict';

const issuer = new URL(process.env.SKEP_ISSUER);
const cookie = process.env.SKEP_COOKIE;
const insecure = { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] };

const visit = (path, fields) => fetch(new URL(path, issuer), {
  method: fields ? 'POST' : 'GET',
  redirect: 'manual',
  headers: { cookie },
  body: fields && new URLSearchParams(fields),
});
const hidden = (html) => Object.fromEntries(
  [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
    .map(([, name, value]) => [name, value.replaceAll('&amp;', '&')]));
const home = (html) => html.match(/name="home" value="([^"]+)"/)[1];

async function whoami(config, tokens, DPoP) {
  const url = new URL('/api/v1/whoami', issuer);
  const answer = await oauth.fetchProtectedResource(
    config, tokens.access_token, url, 'GET', undefined, undefined, { DPoP });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function code() {
  const redirect = 'http://127.0.0.1:4321/cb';
  const config = await oauth.dynamicClientRegistration(issuer, {
    client_name: 'openid-client', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  }, oauth.None(), insecure);
  const DPoP = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair('ES256'));
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const url = oauth.buildAuthorizationUrl(config, {
    redirect_uri: redirect, state, resource: issuer.origin, code_challenge_method: 'S256',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  });
  const page = await (await visit(url)).text();
  const sent = await visit('/oauth/authorize', { ...hidden(page), home: home(page), do: 'allow' });
  assert.equal(sent.status, 303);
  const back = new URL(sent.headers.get('location'));
  const tokens = await oauth.authorizationCodeGrant(
    config, back, { pkceCodeVerifier: verifier, expectedState: state }, undefined, { DPoP });
  assert.equal(tokens.token_type, 'dpop');
  assert.equal((await whoami(config, tokens, DPoP)).credential_kind, 'login');
  const next = await oauth.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  await whoami(config, next, DPoP);
  await oauth.tokenRevocation(config, next.refresh_token);
  await assert.rejects(oauth.refreshTokenGrant(config, next.refresh_token, undefined, { DPoP }),
    { error: 'invalid_grant' });
}

async function device() {
  const config = await oauth.discovery(issuer, 'skep-cli', undefined, oauth.None(), insecure);
  const DPoP = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair('ES256'));
  const started = await oauth.initiateDeviceAuthorization(config, { device_name: 'a script' });
  const page = await (await visit('/oauth/device')).text();
  const asked = await visit('/oauth/device', { ...hidden(page), user_code: started.user_code, do: 'review' });
  const question = await asked.text();
  const done = await visit('/oauth/device', { ...hidden(question), home: home(question), do: 'allow' });
  assert.equal(done.status, 200);
  const tokens = await oauth.pollDeviceAuthorizationGrant(config, { ...started, interval: 1 }, undefined, { DPoP });
  await whoami(config, tokens, DPoP);
}

await Promise.all([code(), device()]);
