/**
 * Starts the gateway and stops it. The only file that does something by being loaded. Nothing but the check of the
 * runtime is imported at first: on an old one the rest would fail in ways that explain nothing.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `This gateway needs Node 22.18 or newer, and this is ${process.version}. Start it with "npm start": the project brings its own Node 24, which npm scripts use.\n`,
  );
  process.exit(1);
}

const { ConfigError, readConfig } = await import('./config.ts');
const { startGateway } = await import('./compose.ts');
const { checkLedger, createOperator, ledgerReportText } = await import('./commands.ts');
const { banner } = await import('./banner.ts');

const PARENT_CHECK_MS = 500;

const [command, ...words] = process.argv.slice(2);
try {
  if (command === undefined) await serve();
  else if (command === 'operator:create')
    process.stdout.write(`${await createOperator(readConfig(), words.join(' ') || 'Operator')}\n`);
  else if (command === 'ledger:check') await check(words[0]);
  else
    throw new Error(
      `there is no command ${JSON.stringify(command)}; without one the gateway starts, "operator:create <name>" opens an operator's account, and "ledger:check [postgres://…]" checks the ledger`,
    );
} catch (error) {
  const message =
    error instanceof ConfigError
      ? `The configuration is not right, and nothing was started:\n${error.message}`
      : `${command === undefined ? 'The gateway could not start' : `${command} failed`}: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Of the database of the configuration, unless another is named. */
async function check(databaseUrl: string | undefined): Promise<void> {
  const config = readConfig();
  const report = await checkLedger(databaseUrl === undefined ? config : { ...config, databaseUrl });
  process.stdout.write(ledgerReportText(report));
  process.exitCode = report.ok ? 0 : 1;
}

async function serve(): Promise<void> {
  const config = readConfig();
  const gateway = await startGateway(config);
  process.stdout.write(banner(config, gateway));
  let stopping = false;
  const stop = () => {
    // A second signal is somebody in a hurry.
    if (stopping) process.exit(1);
    stopping = true;
    gateway.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`Stopping failed: ${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  if (config.startedByNpm) stopWhenLeftAlone(stop);
}

/** Told to stop, npm ends the shell that it started us in but not us: losing that parent means the same. */
function stopWhenLeftAlone(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}
