import { buildProgram } from '../support/program.ts';
import { readOptions, type TortureOptions } from './options.ts';
import { printed } from './report.ts';
import { torture } from './run.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
// Whoever is interrupted still takes along everybody that was started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function optionsOrExit(): TortureOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

const options = optionsOrExit();
say(`seed ${options.seed}: it repeats the wishes, the kills and the faults, though not how their turns fall`);
await buildProgram();
const report = await torture(options);
say(printed(report));
if (report.violations.length > 0) {
  say(`FAILED with --seed ${options.seed}; what the processes wrote is in ${report.folder}`);
  process.exitCode = 1;
}
