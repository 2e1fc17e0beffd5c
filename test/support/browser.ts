import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path));

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Even a request that is tried reaches nobody.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Whether there is a Chromium to drive. A machine that builds the project must have one. */
export const hasBrowser = CHROMIUM !== undefined;

if (!hasBrowser) {
  const message = 'Tests in a browser are SKIPPED: no Chromium was found; install one or set CHROMIUM_PATH';
  if (process.env.CI) throw new Error(message);
  process.stderr.write(`\n${message}\n\n`);
}

/** A headless browser that reaches nobody but this machine. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: QUIET });
}
