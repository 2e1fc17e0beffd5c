import {
  buildSchema,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { printedSchema } from '../../src/graph/schema.ts';
import { PLAYGROUND_TABS } from '../../src/web/examples.ts';

const printed = printedSchema();
const schema = buildSchema(printed);
const ours = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));

test('schema.graphql is exactly what the code says; "npm run schema" writes it', async () => {
  await expect(printed).toMatchFileSnapshot('../../schema.graphql');
});

test('every type, field, argument and enum of our own has a description that says something', () => {
  const silent: string[] = [];
  const check = (place: string, description: string | null | undefined) => {
    if ((description?.trim().length ?? 0) < 8) silent.push(place);
  };
  const fieldsOf = (type: GraphQLNamedType) =>
    isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
  for (const type of ours) {
    if (['String', 'Int', 'Float', 'Boolean', 'ID', 'Query', 'Mutation', 'Subscription'].includes(type.name)) {
      // The first are GraphQL's own; the last three are only the roots.
    } else check(type.name, type.description);
    for (const field of fieldsOf(type)) {
      check(`${type.name}.${field.name}`, field.description);
      if ('args' in field)
        for (const arg of field.args) check(`${type.name}.${field.name}(${arg.name})`, arg.description);
    }
    if (isEnumType(type)) expect(type.getValues().length).toBeGreaterThan(0);
  }
  expect(silent).toEqual([]);
});

test('inputs of which exactly one field counts are marked so', () => {
  const marked = ours.filter((type) => isInputObjectType(type) && type.isOneOf).map(({ name }) => name);
  expect(marked.sort()).toEqual(['EditInput', 'OperationInput']);
});

describe('refusals', () => {
  test('can all be selected side by side: fields of one name have one type', () => {
    const refusal = schema.getType('Refusal');
    if (!isInterfaceType(refusal)) throw new Error('Refusal is no interface');
    const types = schema.getPossibleTypes(refusal);
    expect(types.map(({ name }) => name).sort()).toEqual([
      'CapExceeded',
      'InsufficientCredits',
      'ModelRetired',
      'ProviderUnavailable',
      'QuoteInvalid',
      'RateLimited',
      'StorageFull',
      'TierTooLow',
      'TooManyImages',
      'TooManyJobs',
      'Unpriced',
      'UnsupportedOption',
      'UnsupportedSize',
      'UnsupportedSource',
    ]);
    const selections = types.map((type) => {
      const fields = Object.values(type.getFields()).map(({ name, type: fieldType }) =>
        String(fieldType).startsWith('PixelSize') ? `${name} { width }` : name,
      );
      return `... on ${type.name} { ${fields.join(' ')} }`;
    });
    const query = parse(
      `{ estimateGenerate(input: { prompt: "x" }) { preflight { refusals { ${selections.join(' ')} } } } }`,
    );
    expect(validate(schema, query).map(({ message }) => message)).toEqual([]);
  });
});

test('every list that can grow is a connection with a limit, or says how long it can be', () => {
  const lists = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ type }) =>
    String(type).startsWith('['),
  );
  expect(lists.map(({ name }) => name).sort()).toEqual([
    'models',
    'nodes',
    'priceDiff',
    'priceHistory',
    'providers',
    'settlementPolicy',
    'socialFormats',
    'tags',
    'templates',
  ]);
});

test('every example of the playground fits the schema', () => {
  const mistakes = PLAYGROUND_TABS.flatMap(({ query }) => validate(schema, parse(query)).map(({ message }) => message));
  expect(mistakes).toEqual([]);
});
