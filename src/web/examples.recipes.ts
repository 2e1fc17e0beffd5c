/** A workflow that people run again and again, as a mutation, with what it costs an account on the guide's prices. */
export interface Recipe {
  readonly title: string;
  readonly credits: number;
  /** The steps as they are written in a workflow's input. */
  readonly steps: string;
  /** Needs {@link OUTCOME} behind it. */
  readonly query: string;
}

/** What all recipes ask of their job; it goes behind them once. */
export const OUTCOME = `fragment Outcome on Job {
  id
  status
  steps { id operation images delivered quoted spent }
  images {
    asset { width height url }
    failure { message }
  }
  receipt { quoted held captured released }
}
`;

function recipe(title: string, credits: number, name: string, comment: string, steps: string): Recipe {
  const query = `# ${comment}
# Costs ${credits} credits. GuideExamples shows how to ask first.
mutation ${name} {
  runWorkflow(
    input: {
      steps: [
${steps}
      ]
    }
    waitSeconds: 30
  ) {
    ... on Submission { job { ...Outcome } }
    ... on WorkflowRefused {
      refusals { __typename message }
    }
  }
}
`;
  return { title, credits, steps, query };
}

const step = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => `        ${line.trim() === '' ? '' : line}`)
    .join('\n');

/** The recipes of the workflow guide that this product goes back to. */
export const RECIPES = {
  socialCampaign: recipe(
    'Social media campaign',
    29,
    'SocialCampaign',
    'Five pictures, three of them cut out, all\n# sized for three networks.',
    step(`
{
  id: "create"
  operation: {
    generate: {
      prompt: "Autumn menu on a wooden table"
      template: "instagram_feed_square"
      count: 5
    }
  }
}
{
  id: "cutouts"
  from: "create"
  times: 3
  operation: { edit: { removeBackground: {} } }
}
{
  id: "posts"
  from: "create"
  operation: {
    optimize: { platforms: [INSTAGRAM, FACEBOOK, LINKEDIN] }
  }
}`),
  ),
  blogFeaturedImage: recipe(
    'Blog featured image',
    12,
    'BlogFeaturedImage',
    'One fine picture, enlarged, with its previews\n# for sharing.',
    step(`
{
  id: "create"
  operation: {
    generate: { prompt: "A desk in the rain", quality: PREMIUM }
  }
}
{
  id: "large"
  from: "create"
  operation: { upscale: { mode: CONSERVATIVE, preset: WEB } }
}
{
  id: "shares"
  from: "large"
  operation: {
    optimize: { platforms: [TWITTER, LINKEDIN, FACEBOOK] }
  }
}`),
  ),
  productPhotography: recipe(
    'Product photography',
    21,
    'ProductPhotography',
    'A product, cut out, in three colours.',
    step(`
{
  id: "product"
  operation: {
    generate: {
      prompt: "A canvas backpack on a plain ground"
      quality: PREMIUM
    }
  }
}
{
  id: "cutout"
  from: "product"
  operation: { edit: { removeBackground: {} } }
}
{
  id: "colours"
  from: "cutout"
  times: 3
  operation: {
    edit: {
      searchRecolor: {
        selectPrompt: "backpack"
        prompt: "olive green"
      }
    }
  }
}`),
  ),
  contentLibrary: recipe(
    'Content library',
    90,
    'ContentLibrary',
    'Twenty drafts, ten of them edited, five of\n# these enlarged.',
    step(`
{
  id: "drafts"
  times: 2
  operation: {
    generate: { prompt: "Kitchen scenes", quality: DRAFT, count: 10 }
  }
}
{
  id: "favourites"
  from: "drafts"
  times: 10
  operation: { edit: { general: { prompt: "Warmer light" } } }
}
{
  id: "best"
  from: "favourites"
  times: 5
  operation: { upscale: { mode: FAST } }
}`),
  ),
  quickPost: recipe(
    'Quick post',
    2,
    'QuickPost',
    'A draft and its posts, in a few seconds.',
    step(`
{
  id: "draft"
  operation: {
    generate: { prompt: "Fresh bread, top view", quality: DRAFT }
  }
}
{
  id: "posts"
  from: "draft"
  operation: {
    optimize: {
      formats: ["instagram-feed-square", "facebook-feed-square"]
    }
  }
}`),
  ),
  brandAssets: recipe(
    'Brand assets',
    16,
    'BrandAssets',
    'A hero, a wider canvas for banners, and the\n# headers of three networks.',
    step(`
{
  id: "hero"
  operation: {
    generate: {
      prompt: "A quiet harbour in blue and white"
      aspectRatio: "16:9"
      quality: PREMIUM
    }
  }
}
{
  id: "wide"
  from: "hero"
  operation: { edit: { outpaint: { left: 256, right: 256 } } }
}
{
  id: "large"
  from: "wide"
  operation: { upscale: { mode: CONSERVATIVE } }
}
{
  id: "headers"
  from: "large"
  operation: {
    optimize: {
      formats: [
        "facebook-cover"
        "twitter-header"
        "linkedin-company-cover"
      ]
    }
  }
}`),
  ),
} as const satisfies Record<string, Recipe>;
