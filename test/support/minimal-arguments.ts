import {
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';

const SCALARS: Readonly<Record<string, unknown>> = {
  String: 'x',
  Int: 1,
  Float: 1,
  Boolean: true,
  Credits: 1,
  JSONObject: {},
  DateTime: '2026-01-01T00:00:00.000Z',
};

/** The least that a field takes: its required arguments, made up from their types, and those that are given. */
export function minimalArguments(
  field: GraphQLField<unknown, unknown>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    field.args
      .filter((arg) => arg.name in given || isRequiredArgument(arg))
      .map((arg) => {
        if (!(arg.name in given)) return [arg.name, minimalValue(arg.type)];
        const value = given[arg.name];
        return [arg.name, isList(arg.type) && !Array.isArray(value) ? [value] : value];
      }),
  );
}

/** The operation that asks for the field with variables, and for as little of its answer as there can be. */
export function minimalOperation(
  kind: string,
  field: GraphQLField<unknown, unknown>,
  names: readonly string[],
): string {
  const args = field.args.filter(({ name }) => names.includes(name));
  const declared = args.length > 0 ? `(${args.map(({ name, type }) => `$${name}: ${type}`).join(', ')})` : '';
  const passed = args.length > 0 ? `(${names.map((name) => `${name}: $${name}`).join(', ')})` : '';
  const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
  return `${kind} ${declared} { ${field.name}${passed}${selection} }`;
}

function isList(type: GraphQLInputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function minimalValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return minimalValue(type.ofType);
  if (isListType(type)) return [];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    const needed = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
    return Object.fromEntries(needed.map((field) => [field.name, minimalValue(field.type)]));
  }
  const value = SCALARS[type.name];
  if (value === undefined) throw new Error(`say in the table what to give for a ${type.name}`);
  return value;
}
