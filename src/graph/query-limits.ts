import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

export const QUERY_LIMITS = {
  /** Tokens of a whole document; counted while parsing. */
  tokens: 2_000,
  depth: 14,
  aliases: 30,
  directives: 20,
  /** Fields at the top of one operation, so that one request cannot be a hundred. */
  rootFields: 20,
  /** Fields and spreads, with every fragment counted wherever it is spread, so that fragments cannot double without end. */
  selections: 2_000,
  /** Objects that the lists of one query may add up to. */
  nodes: 5_000,
} as const;

const DEFAULT_PAGE = 20;
const PAGE_MAX = 100;

interface Tally {
  aliases: number;
  directives: number;
  depth: number;
  nodes: number;
  selections: number;
  rootFields: number;
}

/**
 * Refuses documents that would cost more than they could be worth, before anything is run. Fragments count wherever they
 * are spread. Introspection has its own, deeper shape and is counted by tokens alone.
 */
export function queryLimits(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation: OperationDefinitionNode) {
      const tally: Tally = {
        aliases: 0,
        directives: operation.directives?.length ?? 0,
        depth: 0,
        nodes: 0,
        selections: 0,
        rootFields: 0,
      };
      count(operation.selectionSet, tally, { depth: 1, multiplier: 1, spread: new Set() }, context);
      for (const limit of ['selections', 'depth', 'aliases', 'directives', 'rootFields', 'nodes'] as const) {
        if (tally[limit] > QUERY_LIMITS[limit]) {
          context.reportError(
            new GraphQLError(
              `The query's ${limit} come to ${tally[limit]}, but at most ${QUERY_LIMITS[limit]} are allowed. Split it into several requests.`,
            ),
          );
          return;
        }
      }
    },
  };
}

function isOver(tally: Tally): boolean {
  return (['selections', 'aliases', 'directives', 'depth', 'rootFields', 'nodes'] as const).some(
    (limit) => tally[limit] > QUERY_LIMITS[limit],
  );
}

interface Where {
  readonly depth: number;
  readonly multiplier: number;
  readonly spread: ReadonlySet<string>;
}

function count(set: SelectionSetNode, tally: Tally, where: Where, context: ValidationContext): void {
  tally.depth = Math.max(tally.depth, where.depth);
  for (const selection of set.selections) {
    // Enough is known once a limit is passed; going on would do the very work that is refused.
    if (isOver(tally)) return;
    tally.selections++;
    tally.directives += selection.directives?.length ?? 0;
    if (selection.kind === Kind.FIELD) countField(selection, tally, where, context);
    else if (selection.kind === Kind.INLINE_FRAGMENT) count(selection.selectionSet, tally, where, context);
    else countSpread(context.getFragment(selection.name.value), tally, where, context);
  }
}

function countField(field: FieldNode, tally: Tally, where: Where, context: ValidationContext): void {
  if (where.depth === 1) tally.rootFields++;
  if (field.alias) tally.aliases++;
  if (!field.selectionSet || field.name.value.startsWith('__')) return;
  const multiplier = where.multiplier * pageSize(field);
  tally.nodes += multiplier;
  count(field.selectionSet, tally, { ...where, depth: where.depth + 1, multiplier }, context);
}

function countSpread(
  fragment: FragmentDefinitionNode | null | undefined,
  tally: Tally,
  where: Where,
  context: ValidationContext,
): void {
  // A fragment inside itself is an error that another rule reports.
  if (!fragment || where.spread.has(fragment.name.value)) return;
  count(fragment.selectionSet, tally, { ...where, spread: new Set([...where.spread, fragment.name.value]) }, context);
}

/** How many items a field asks for: its `first`, or the most it may be when a variable decides; 1 for a single object. */
function pageSize(field: FieldNode): number {
  const first = field.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (first?.kind === Kind.INT) return Math.max(1, Number(first.value));
  if (first) return PAGE_MAX;
  return PAGED_FIELDS.has(field.name.value) ? DEFAULT_PAGE : 1;
}

const PAGED_FIELDS: ReadonlySet<string> = new Set(['assets', 'jobs']);
