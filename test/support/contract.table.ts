import type { NotApplicable } from './contract.ts';

/** No terminal that anybody works in is narrower than what is left of it by this. */
export const TABLE_WIDTH_MAX = 200;

/** What was seen, in words, or why there is nothing to see. */
export type Shown = string | NotApplicable;

/** The contract as it was found, with the reasons of the empty cells below it. */
export function tableOf(
  title: string,
  columns: readonly string[],
  rows: readonly { readonly what: string; readonly cells: readonly Shown[] }[],
): string {
  const reasons: string[] = [];
  const noteOf = (why: string) => {
    if (!reasons.includes(why)) reasons.push(why);
    return `n/a ${String.fromCodePoint('a'.charCodeAt(0) + reasons.indexOf(why))}`;
  };
  const inWords = (cell: Shown) => (typeof cell === 'string' ? cell : noteOf(cell.na));
  const lines = [[title, ...columns], ...rows.map(({ what, cells }) => [what, ...cells.map(inWords)])];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const [head = '', ...body] = lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(head.length, ...body.map(({ length }) => length)));
  const notes = reasons.map((why) => `${noteOf(why)}: ${why}`);
  return ['', head, rule, ...body, rule, ...notes, ''].join('\n');
}

/** What was seen, marked where it is not as it should be. */
export function marked(seen: string | undefined, expected: string): string {
  if (seen === undefined) return 'not seen (!)';
  return seen === expected ? seen : `${seen} (!)`;
}
