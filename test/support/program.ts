import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { DemoKeys } from '../../src/demo-accounts.ts';
import { endProcess, run } from './server-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** Compiles the program into dist: once, before any test, because tests share it. */
export function buildProgram(): Promise<unknown> {
  return run(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT });
}

export interface Program {
  readonly url: string;
  readonly printed: () => string;
  readonly process: ChildProcess;
  end(signal: NodeJS.Signals): Promise<void>;
}

const START_DEADLINE_MS = 60_000;

/** Starts the compiled program as a process of its own and waits until it says that it is ready. */
export async function startProgram(environment: Record<string, string>): Promise<Program> {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'main.js')], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it did not start:\n${printed}`)), START_DEADLINE_MS);
    const read = (data: Buffer) => {
      printed += data.toString();
      const ready = /ready at (http:\/\/[^/\s]+)\/graphql/.exec(printed);
      if (ready?.[1]) {
        clearTimeout(timer);
        resolve(ready[1]);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${code}:\n${printed}`));
    });
  });
  return { url, printed: () => printed, process: child, end: (signal) => endProcess(child, signal) };
}

/** Asks a program in the name of its PRO demo account, whose key stands in its data folder. */
export async function askProgram<T>({ url }: Program, dataFolder: string, query: string): Promise<T> {
  const keys = JSON.parse(readFileSync(join(dataFolder, 'demo-keys.json'), 'utf8')) as DemoKeys;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.PRO}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
  if (errors !== undefined) throw new Error(`the program answered with errors: ${JSON.stringify(errors)}`);
  return data;
}

/** The job that was asked for last, if there is one. */
export async function newestJob<T>(program: Program, dataFolder: string, fields: string): Promise<T | undefined> {
  const query = `{ jobs(first: 1) { nodes { ${fields} } } }`;
  const { jobs } = await askProgram<{ jobs: { nodes: T[] } }>(program, dataFolder, query);
  return jobs.nodes[0];
}

/** Runs the compiled program, which must end by itself, and answers how. */
export async function runProgram(
  environment: Record<string, string>,
  words: readonly string[] = [],
): Promise<{ code: number | null; printed: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'main.js'), ...words], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (printed += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, printed };
}
