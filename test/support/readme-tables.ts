import { operationsTable } from './operations-table.ts';
import { settlementTable } from './settlement-table.ts';

/** The tables of the README that are made from the code, by the name that stands in the comments around each. */
const TABLES = { operations: operationsTable, settlement: settlementTable };

/** The README with its tables as they should be. @throws Error where the README has no place for one of them. */
export function withTables(readme: string): string {
  return Object.entries(TABLES).reduce((text, [name, table]) => {
    const begin = `<!-- ${name}: npm run readme writes what follows -->`;
    const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- /${name} -->`)];
    if (from < 0 || to < from) throw new Error(`the README has no place for the table of ${name}`);
    return `${text.slice(0, from + begin.length)}\n\n${table()}\n\n${text.slice(to)}`;
  }, readme);
}
