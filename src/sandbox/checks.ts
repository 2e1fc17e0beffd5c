/** Says what is wrong with a value, or null. */
export type Check = (value: unknown) => string | null;

/** A string of so many characters. */
export const text =
  (lengthMin: number, lengthMax: number): Check =>
  (value) => {
    if (typeof value !== 'string') return 'must be a string';
    const fits = value.length >= lengthMin && value.length <= lengthMax;
    return fits ? null : `must be between ${lengthMin} and ${lengthMax} characters long`;
  };

/** One of these values exactly. */
export const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value) ? null : `must be one of ${allowed.map((each) => `'${each}'`).join(', ')}`;

/** One of these words, in capitals or not. */
export const oneOfWords =
  (...allowed: readonly string[]): Check =>
  (value) =>
    oneOf(...allowed)(typeof value === 'string' ? value.toLowerCase() : value);

/** A number from `min` to `max`, both included. */
export const number =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max ? null : `must be a number between ${min} and ${max}`;

/** A number from `min` to `max` without a fraction. */
export const whole =
  (min: number, max: number): Check =>
  (value) =>
    Number.isInteger(value) && number(min, max)(value) === null
      ? null
      : `must be a whole number between ${min} and ${max}`;

/** A boolean, and nothing that merely looks like one. */
export const flag: Check = (value) => (typeof value === 'boolean' ? null : 'must be true or false');

/** A check of a number that travels as text, as it does in a form. */
export const asNumber =
  (check: Check): Check =>
  (value) =>
    check(typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN);

/** Must not be sent at all, for the reason given. */
export const forbidden =
  (why: string): Check =>
  () =>
    why;

/** What is wrong with one field. */
export interface Problem {
  readonly field: string;
  readonly problem: string;
}

/** Everything that is wrong with the fields that were sent or are missing. Fields without a check are not looked at. */
export function problemsIn(
  fields: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): Problem[] {
  const missing = required.filter((field) => fields[field] === undefined);
  const wrong = Object.entries(checks).flatMap(([field, check]) => {
    const value = fields[field];
    const problem = value === undefined ? null : check(value);
    return problem === null ? [] : [{ field, problem }];
  });
  return [...missing.map((field) => ({ field, problem: 'is required' })), ...wrong];
}
