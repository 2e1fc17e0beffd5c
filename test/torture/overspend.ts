import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { buildProgram } from '../support/program.ts';
import { findProgram } from '../support/server-process.ts';
import { type OverspendRow, overspend } from './overspend-run.ts';

const { values } = parseArgs({
  options: {
    submissions: { type: 'string', default: '1000' },
    fits: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
  },
});
const seed = Number(values.seed);
const say = (text: string) => process.stdout.write(`${text}\n`);
// Whoever is interrupted still takes along everybody that was started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const NAME_WIDTH = 20;
const COLUMNS = ['sent', 'fits', 'accepted', 'ended', 'again', 'kills', 'seconds', 'broken'] as const;
const line = (name: string, cells: readonly (string | number)[], rest: string) =>
  `${name.padEnd(NAME_WIDTH)}${cells.map((cell) => String(cell).padStart(9)).join('')}   ${rest}`;

function lineOf(row: OverspendRow): string {
  const { name, submissions, fits, accepted, ended, sentAgain, kills, seconds, violations, refused } = row;
  const cells = [submissions, fits, accepted, ended, sentAgain, kills, seconds.toFixed(1), violations.length];
  return line(name, cells, String(refused));
}

await buildProgram();
const redis = findProgram('redis-server') !== null;
const rows = await overspend({ submissions: Number(values.submissions), fits: Number(values.fits), seed, redis });
say(`overspend: seed ${seed}, two gateways and two workers on PostgreSQL${redis ? ' and Redis' : ''}`);
say(
  '"ended": jobs that ended meanwhile, as a worker died between an order and its answer; each makes room for another.',
);
say(line('case', COLUMNS, 'refused'));
for (const row of rows) say(lineOf(row));
const violations = rows.flatMap((row) => row.violations.map((text) => `${row.name}: ${text}`));
for (const text of violations) say(`  ${text}`);
if (violations.length > 0) process.exitCode = 1;
