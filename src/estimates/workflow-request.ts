import { canonicalEdit, type EditInput } from '../catalog/edit-requests.ts';
import { SEED_MAX } from '../catalog/fields.ts';
import { canonicalGenerate, type GenerateInput } from '../catalog/requests.ts';
import { canonicalUpscale, type UpscaleInput } from '../catalog/upscale-requests.ts';
import { badInput, DomainError } from '../errors.ts';
import { canonicalOptimize, type OptimizeInput } from '../social/optimize-request.ts';
import { imageOf, type OperationRequest, type StepRequest, seedIn, type WorkflowRequest } from './job-request.ts';

export const STEPS_MAX = 50;
export const TIMES_MAX = 100;
export const WORKFLOW_IMAGES_MAX = 500;

/** One operation as a client sends it: exactly one of these. */
export interface OperationInput {
  readonly generate?: GenerateInput | undefined;
  readonly edit?: EditInput | undefined;
  readonly upscale?: UpscaleInput | undefined;
  readonly optimize?: OptimizeInput | undefined;
}

export interface StepInput {
  readonly id: string;
  /** The earlier step whose pictures this one works on. */
  readonly from?: string | undefined;
  /** Or the asset that it works on. */
  readonly image?: string | undefined;
  readonly times?: number | undefined;
  readonly operation: OperationInput;
}

/** @throws BAD_USER_INPUT, naming the step, for what is valid for nobody. */
export function canonicalWorkflow(steps: readonly StepInput[]): WorkflowRequest {
  if (steps.length < 1 || steps.length > STEPS_MAX)
    throw badInput('steps', steps.length, `a list of 1 to ${STEPS_MAX} steps`);
  const known = new Set<string>();
  return {
    operation: 'WORKFLOW',
    steps: steps.map((step, index) => {
      const canonical = canonicalStep(step, `steps[${index}]`, known);
      known.add(step.id);
      return canonical;
    }),
  };
}

/**
 * An estimate may leave open what a step works on; a run may not.
 * @throws BAD_USER_INPUT, naming the step.
 */
export function checkRunnable({ steps }: WorkflowRequest): void {
  for (const [index, { from, request }] of steps.entries()) {
    if (from === null && request.operation !== 'GENERATE' && imageOf(request) === null)
      throw badInput(`steps[${index}].from`, null, 'the id of an earlier step, or else an image must be given');
  }
}

function canonicalStep(step: StepInput, field: string, known: ReadonlySet<string>): StepRequest {
  const { id, times = 1, from = null, image = null, operation } = step;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw badInput(`${field}.id`, id, '1 to 64 letters, digits, "-" or "_"');
  if (known.has(id)) throw badInput(`${field}.id`, id, 'an id that no other step has');
  if (!Number.isInteger(times) || times < 1 || times > TIMES_MAX)
    throw badInput(`${field}.times`, times, `a whole number from 1 to ${TIMES_MAX}`);
  if (from !== null && !known.has(from)) throw badInput(`${field}.from`, from, 'the id of an earlier step');
  if (from !== null && image !== null) throw badInput(`${field}.image`, image, 'left out when from is given');
  if (operation.generate && (from !== null || image !== null)) {
    const given = from === null ? 'image' : 'from';
    const limit = 'left out, because generate starts from words and not from a picture';
    throw badInput(`${field}.${given}`, from ?? image, limit);
  }
  const request = inField(`${field}.operation`, () => canonicalOperation(image, operation));
  checkSeeds(request, times, `${field}.operation`);
  return { id, from, times, request };
}

function canonicalOperation(
  image: string | null,
  { generate, edit, upscale, optimize }: OperationInput,
): OperationRequest {
  if (generate) return inField('generate', () => canonicalGenerate(generate));
  if (edit) return inField('edit', () => canonicalEdit(image, edit));
  if (upscale) return inField('upscale', () => canonicalUpscale(image, upscale));
  if (optimize) return inField('optimize', () => canonicalOptimize(image, optimize));
  throw badInput('operation', null, 'exactly one operation');
}

/** Run i of a step uses `seed + i`. */
function checkSeeds(request: OperationRequest, times: number, field: string): void {
  const seed = seedIn(request);
  const pictures = request.operation === 'GENERATE' ? request.count * times : times;
  if (seed !== null && seed > SEED_MAX - (pictures - 1)) {
    const limit = `a whole number from 0 to ${SEED_MAX - (pictures - 1)} (each of the ${pictures} pictures adds one)`;
    throw badInput(`${field}.${request.operation.toLowerCase()}.seed`, seed, limit);
  }
}

/** Says which of many steps is meant by what is wrong inside it. */
function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const details = { ...error.details, field: `${field}.${error.details.field}` };
    throw new DomainError(error.code, `${field}.${error.message}`, details, { cause: error });
  }
}
