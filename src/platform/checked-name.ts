import { badInput } from '../errors.ts';

/** What somebody calls a thing, without the spaces around it. @throws BAD_USER_INPUT for an empty one, and one that is too long. */
export function checkedName(field: string, text: string, lengthMax = 200): string {
  const name = text.trim();
  // PostgreSQL keeps no NUL in a text.
  if (name.length < 1 || name.length > lengthMax || name.includes('\0'))
    throw badInput(field, text, `1 to ${lengthMax} characters`);
  return name;
}
