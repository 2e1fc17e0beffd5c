/** What was really given: GraphQL has both "absent" and "null" for the same thing, the domain has one. */
export type Given<T> = { [K in keyof T]: Exclude<T[K], null> };

export function given<T extends object>(input: T): Given<T> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== null && value !== undefined),
  ) as Given<T>;
}
