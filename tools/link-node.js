/**
 * Makes node_modules/.bin/node again when npm has lost it. The five packages that bring Node, one for each platform, share
 * that link; npm 10 removes it together with the packages of the other platforms. Runs after every install, on whatever
 * Node npm itself runs on.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const modules = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', 'node_modules');
const link = join(modules, '.bin', 'node');
const { optionalDependencies } = JSON.parse(readFileSync(join(modules, '..', 'package.json'), 'utf8'));
const brought = Object.keys(optionalDependencies).find((name) => existsSync(join(modules, name, 'bin', 'node')));
if (brought && !existsSync(link)) symlinkSync(join('..', brought, 'bin', 'node'), link);
