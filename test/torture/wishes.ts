import type { Random } from './random.ts';

/** Something that a customer wants, as it is sent. */
export interface Wish {
  readonly mutation: 'generate' | 'editImage' | 'upscaleImage' | 'optimizeForSocial' | 'runWorkflow';
  readonly variables: Readonly<Record<string, unknown>>;
}

const ARGUMENTS: Readonly<Record<Wish['mutation'], { readonly declared: string; readonly estimate: string }>> = {
  generate: { declared: 'input: GenerateInput!', estimate: 'estimateGenerate' },
  editImage: { declared: 'image: ID!, edit: EditInput!', estimate: 'estimateEdit' },
  upscaleImage: { declared: 'image: ID!, upscale: UpscaleInput!', estimate: 'estimateUpscale' },
  optimizeForSocial: { declared: 'image: ID!, optimize: OptimizeInput!', estimate: 'estimateOptimize' },
  runWorkflow: { declared: 'input: WorkflowInput!', estimate: 'estimateWorkflow' },
};

/** `image: ID!, edit: EditInput!` as variables and as arguments. */
function spelt(declared: string): { declared: string; passed: string } {
  const names = [...declared.matchAll(/(\w+):/g)].map((match) => match[1]);
  return {
    declared: declared.replaceAll(/(\w+):/g, '$$$1:'),
    passed: names.map((name) => `${name}: $${name}`).join(', '),
  };
}

export function submissionOf({ mutation }: Wish): string {
  const { declared, passed } = spelt(ARGUMENTS[mutation].declared);
  const refused = mutation === 'runWorkflow' ? 'WorkflowRefused' : 'Refused';
  return `mutation (${declared}, $quote: String, $idempotencyKey: String, $budget: ID, $waitSeconds: Int! = 0) {
    answer: ${mutation}(${passed}, quote: $quote, idempotencyKey: $idempotencyKey, budget: $budget, waitSeconds: $waitSeconds) {
      __typename ... on Submission { replayed job { id status credits } } ... on ${refused} { refusals { __typename } } } }`;
}

export function estimateOf({ mutation }: Wish): string {
  const { declared, estimate } = ARGUMENTS[mutation];
  const { declared: variables, passed } = spelt(declared);
  return `query (${variables}) { estimate: ${estimate}(${passed}) { credits quote } }`;
}

const HOW_TO_DRAW = [
  { quality: 'DRAFT' },
  { quality: 'STANDARD' },
  { quality: 'PREMIUM' },
  { provider: 'STABILITY' },
  { provider: 'WAVESPEED' },
  { provider: 'HUGGINGFACE', quality: 'DRAFT' },
  { provider: 'GEMINI' },
  { model: 'stability/core' },
  { model: 'stability/sd3.5-flash' },
  { model: 'wavespeed/qwen-image' },
  { model: 'huggingface/flux-schnell' },
  { model: 'gemini/flash-lite' },
] as const;
/** They take no seed, by which the pictures of a batch are told apart. */
const ONE_AT_A_TIME = [{ model: 'wavespeed/ideogram-v3-turbo' }, { model: 'wavespeed/ideogram-v3-balanced' }] as const;
const SIDES = [256, 320, 512];
const SEED_MAX = 1_000_000;

/** By these words a vendor's journal tells what an order was for: no two steps of all wishes have the same. */
const TALE = /\btale-\d+-\d+-\w+\b/;
export function taleIn(text: string): string | null {
  return TALE.exec(text)?.[0] ?? null;
}

/** What a customer wants next. `tale` names the wish, `pictures` are in its library. */
export function nextWish(random: Random, tale: string, pictures: readonly string[]): Wish {
  const roll = random.whole(1, 100);
  if (roll <= 50 || pictures.length === 0) return generateWish(random, tale);
  const image = random.pick(pictures);
  if (roll <= 66) return { mutation: 'editImage', variables: { image, edit: editOf(random, `${tale}-a`) } };
  if (roll <= 76) return { mutation: 'upscaleImage', variables: { image, upscale: upscaleOf(random, `${tale}-a`) } };
  if (roll <= 84) return { mutation: 'optimizeForSocial', variables: { image, optimize: optimizeOf(random) } };
  return workflowWish(random, tale, image);
}

function generateWish(random: Random, tale: string): Wish {
  return { mutation: 'generate', variables: { input: drawing(random, `${tale}-a`, random.pick([1, 1, 2, 3, 4])) } };
}

function drawing(random: Random, tale: string, count: number) {
  const seed = count > 1 ? { count, seed: random.whole(0, SEED_MAX) } : {};
  const how = random.pick(count > 1 ? HOW_TO_DRAW : [...HOW_TO_DRAW, ...ONE_AT_A_TIME]);
  return { prompt: `a harbour, ${tale}`, width: random.pick(SIDES), height: random.pick(SIDES), ...how, ...seed };
}

function editOf(random: Random, tale: string, times = 1) {
  const seed = times > 1 ? { seed: random.whole(0, SEED_MAX) } : {};
  const prompt = `in the evening, ${tale}`;
  return random.pick([
    { general: { prompt, ...seed } },
    { general: { prompt, ...seed } },
    { searchReplace: { searchPrompt: 'the boat', prompt, ...seed } },
    { searchRecolor: { selectPrompt: 'the boat', prompt, ...seed } },
    { outpaint: { right: 32, prompt, ...seed } },
    { relight: { backgroundPrompt: prompt, ...seed } },
    ...(times > 1 ? [] : [{ removeBackground: {} }]),
  ]);
}

function upscaleOf(random: Random, tale: string) {
  const prompt = `a harbour, ${tale}`;
  return random.pick([{ mode: 'FAST' }, { mode: 'CONSERVATIVE', prompt }, { mode: 'CREATIVE', prompt }]);
}

function optimizeOf(random: Random) {
  return { platforms: [random.pick(['INSTAGRAM', 'TWITTER', 'PINTEREST'])], crop: random.pick(['SMART', 'CENTER']) };
}

/** Draws, then works on what was drawn, and sometimes on a picture of the library beside it. */
function workflowWish(random: Random, tale: string, image: string): Wish {
  const times = random.whole(1, 2);
  const steps: object[] = [
    { id: 'draw', times: 1, operation: { generate: drawing(random, `${tale}-a`, times) } },
    { id: 'edit', from: 'draw', times, operation: { edit: editOf(random, `${tale}-b`, times) } },
  ];
  if (random.percent(50))
    steps.push({ id: 'larger', from: 'edit', operation: { upscale: upscaleOf(random, `${tale}-c`) } });
  if (random.percent(50)) steps.push({ id: 'cut', from: 'draw', operation: { optimize: optimizeOf(random) } });
  if (random.percent(40)) steps.push({ id: 'other', image, operation: { edit: editOf(random, `${tale}-d`) } });
  return { mutation: 'runWorkflow', variables: { input: { steps } } };
}
