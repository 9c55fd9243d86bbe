// A real browser in front of a live daemon: somebody logs in by the page, visits a page of somebody else
// that tries to frame, prefetch and send the page on which programs are let in, and then lets one in.
import { chromium } from 'playwright-core';
import { createServer } from 'node:http';
import assert from 'node:assert/strict';

const { SKEP_ISSUER, SKEP_USER_CODE, SKEP_ADDRESS, SKEP_PASSWORD, SKEP_CHROMIUM } = process.env;
const code = encodeURIComponent(SKEP_USER_CODE);
const approval = `${SKEP_ISSUER}/oauth/device?user_code=${code}`;
const SHOWN = 'Connect a device';

// Two places of somebody else: another port of the same host, to which cookies go, and another host.
const pages = new Map();
const server = createServer((request, answer) => {
  answer.setHeader('Content-Type', 'text/html');
  answer.end(pages.get(request.url.split('?')[0]) ?? '');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const port = server.address().port;
const elsewhere = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

const browser = await chromium.launch({
  executablePath: SKEP_CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
const seen = [];
page.on('response', (response) => seen.push(response));
const last = (start) => seen.filter((response) => response.url().startsWith(start)).at(-1);

async function logIn() {
  await page.goto(`${SKEP_ISSUER}/login`);
  await page.fill('#address', SKEP_ADDRESS);
  await page.fill('#password', SKEP_PASSWORD);
  await page.click('button:not([type=button])');
  await page.waitForURL('**/account');
  await page.goto(approval);
  assert.match(await page.content(), new RegExp(SHOWN), 'the page itself is shown');
}

async function framed(origin) {
  pages.set('/own', `<p>${SHOWN}</p>`);
  pages.set('/frame', `<iframe id=own src="/own"></iframe><iframe id=theirs src="${approval}"></iframe>`);
  await page.goto(`${origin}/frame`, { waitUntil: 'load' });
  const inside = async (id) => {
    const frame = await (await page.$(id)).contentFrame();
    return frame.content();
  };
  assert.match(await inside('#own'), new RegExp(SHOWN), 'a page that may be framed is');
  assert.doesNotMatch(await inside('#theirs'), new RegExp(SHOWN), `framed by ${origin}`);
}

async function looked(origin) {
  const decided = `${approval}&do=allow&home=x`;
  pages.set('/look', `<link rel=prefetch href="${decided}"><img src="${decided}&n=1"><script>
    fetch('${decided}&n=2', { mode: 'no-cors', credentials: 'include' }).finally(() => document.title = 'done');
  </script>`);
  await page.goto(`${origin}/look`);
  await page.waitForFunction(() => document.title === 'done');
}

async function sent(origin, token) {
  for (const what of ['review', 'allow']) {
    pages.set('/send', `<form method=post action="${SKEP_ISSUER}/oauth/device">
      <input name=user_code value="${SKEP_USER_CODE}"><input name=token value="${token}">
      <input name=do value=${what}></form><script>document.forms[0].submit()</script>`);
    await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.goto(`${origin}/send`).catch(() => {}),
    ]);
    await page.waitForLoadState();
    const answer = seen.filter((response) => response.request().method() === 'POST').at(-1);
    // 303 leads to the login page: no cookie came along.
    const refused = origin.includes('localhost') ? [303, 403] : [403];
    assert(refused.includes(answer.status()), `${what} from ${origin}: ${answer.status()}`);
    assert.doesNotMatch(await page.content(), /acts for you|is connected/);
  }
}

async function decide() {
  await page.goto(approval);
  await page.click('button[value=review]');
  await page.waitForSelector('input[name=home]');
  assert.match(await page.content(), /Skep command line/);
  await page.check('input[name=home]');
  await page.click('button[value=allow]');
  await page.waitForSelector('text=The device is connected');
}

try {
  await logIn();
  // As if the form's own token had leaked.
  const token = await page.inputValue('input[name=token]');
  for (const origin of elsewhere) {
    await framed(origin);
    await looked(origin);
    await sent(origin, token);
  }
  assert(last(approval), 'the daemon was asked');
  if (process.env.SKEP_DECIDE) await decide();
} finally {
  await browser.close();
  server.close();
}
