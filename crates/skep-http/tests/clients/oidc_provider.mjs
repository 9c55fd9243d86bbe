// oidc-provider, the issuer, and a browser that signs in at a live daemon by it: with each kind of client
// authentication and each algorithm of ID tokens, and as somebody whose address nobody verified.
import { Provider } from 'oidc-provider';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

const daemon = process.env.SKEP_ISSUER;
const port = Number(process.env.OIDC_PORT);
const issuer = `http://127.0.0.1:${port}`;
const secret = 'a-secret-of-thirty-two-bytes-or-so';
const ways = [
  { client_id: 'basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic', alg: 'RS256' },
  { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post', alg: 'ES256' },
  { client_id: 'none', token_endpoint_auth_method: 'none', alg: 'EdDSA' },
];

const api = async (path, body) => {
  const answer = await fetch(daemon + path, {
    method: 'POST', body: body && JSON.stringify(body),
    headers: { authorization: `Bearer ${process.env.SKEP_TOKEN}`, ...body && { 'content-type': 'application/json' } },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};
const choose = (way) => api('/api/v1/sso', {
  issuer, client_id: way.client_id, client_secret: way.client_secret, domains: ['hive.example'],
});

const jwk = (kid, alg, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig',
});
const { redirect_uri } = await choose(ways[0]);
const provider = new Provider(issuer, {
  clients: ways.map(({ alg, ...client }) => ({
    ...client, redirect_uris: [redirect_uri], id_token_signed_response_alg: alg,
    grant_types: ['authorization_code'], response_types: ['code'],
  })),
  jwks: { keys: [
    jwk('r', 'RS256', 'rsa', { modulusLength: 2048 }),
    jwk('e', 'ES256', 'ec', { namedCurve: 'P-256' }),
    jwk('d', 'EdDSA', 'ed25519'),
  ] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  // One of the ways keeps addresses out of ID tokens, as the standard has it.
  conformIdTokenClaims: process.env.OIDC_SHORT === '1',
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  cookies: { keys: ['k'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({
      sub, name: 'Maria', email: `${sub}@hive.example`, email_verified: !sub.startsWith('unverified'),
    }),
  }),
});
let who;
const answer = provider.callback();
const server = createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { params, prompt, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: who } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
});
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));

// A browser: cookies by origin, redirects by hand.
async function signIn() {
  const jars = new Map();
  let url = new URL('/login/sso?organization=alpha', daemon);
  for (let hops = 0; hops < 20; hops += 1) {
    const jar = jars.get(url.origin) ?? jars.set(url.origin, new Map()).get(url.origin);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of reply.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const to = reply.headers.get('location');
    if (!to || to === '/account') return { status: reply.status, cookie: `skep-local=${jar.get('skep-local') ?? ''}`, text: await reply.text() };
    url = new URL(to, url);
  }
  throw new Error('too many redirects');
}

const seen = new Set();
for (const way of ways) {
  await choose(way);
  const report = await api('/api/v1/sso/test');
  assert.equal(report.keys, 3);
  assert.equal(report.names_itself, true);
  who = 'maria';
  const inside = await signIn();
  assert.equal(inside.status, 303, `${way.client_id}: ${inside.text}`);
  const reply = await fetch(`${daemon}/api/v1/whoami`, { headers: { cookie: inside.cookie } });
  assert.equal(reply.status, 200);
  seen.add((await reply.json()).principal);
  who = 'unverified';
  assert.equal((await signIn()).status, 401);
}
assert.equal(seen.size, 1, 'one person, whatever the client');
server.close();
process.exit(0);
