import { startSandbox } from '../../src/sandbox/sandbox.ts';

/** The sandbox in a process of its own, answering at once. */
const { origin } = await startSandbox();
process.stdout.write(`ready at ${origin}\n`);
