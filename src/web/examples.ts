import { watchBalance, watchJob } from './examples.live.ts';
import { OUTCOME, RECIPES } from './examples.recipes.ts';

/** A tab of the playground. Its title is the name of its operation. */
export interface PlaygroundTab {
  readonly query: string;
  /** JSON, as a person would type it. */
  readonly variables?: string;
}

const estimateOneImage = `# Ctrl+Enter, or the round button, runs this.
# An estimate costs nothing and changes nothing.
# Hover over a word to read what it means.
query EstimateOneImage {
  estimateGenerate(
    input: {
      prompt: "A lighthouse at dusk"
      quality: STANDARD
      aspectRatio: "16:9"
    }
  ) {
    credits
    lines { label quantity unitCredits credits }
    balanceBefore
    balanceAfter
    affordableCount

    # May it run now? If not, here is every reason.
    preflight { ok refusals { __typename message } }

    # What else would do, for less.
    alternatives { description credits saves }
    identicalAssets { id url }

    # Who would draw it, in this order.
    routes {
      id
      healthy
      expectedSeconds
      render { width height }
    }

    # Give the quote to the mutation that generates,
    # and it costs this much at most.
    quote
    quoteExpiresAt
    priceVersion
    notes
  }
}
`;

const priced = (name: keyof typeof RECIPES) => `  ${name}: estimateWorkflow(
    input: {
      steps: [
${RECIPES[name].steps}
      ]
    }
  ) { ...Price }
`;

const guideExamples = `# Four campaigns, priced step by step before
# anything is run: 29, 12, 21 and 90 credits.
query GuideExamples {
${(['socialCampaign', 'blogFeaturedImage', 'productPhotography', 'contentLibrary'] as const).map(priced).join('\n')}}

fragment Price on WorkflowEstimate {
  credits
  steps { id operation images credits notes }
  preflight { ok refusals { message } }
}
`;

const generateAndReadReceipt = `# Draws a picture, waits for it up to 30 seconds,
# and charges for it once it is delivered.
# In a program, add an idempotencyKey: then sending
# it twice never draws or charges twice.
mutation GenerateAndReadReceipt {
  generate(
    input: {
      prompt: "A lighthouse at dusk"
      quality: DRAFT
    }
    waitSeconds: 30
  ) {
    ... on Submission {
      replayed
      job {
        id
        status
        images {
          index
          status
          asset {
            id
            width
            height

            # Ctrl+click it to see the picture.
            url
          }
          failure { code message }
        }

        # quoted = held, and once settled = captured + released.
        receipt {
          quoted
          held
          captured
          released
          settled
          entries { kind bucket amount reason }
        }
      }
    }
    ... on Refused {
      refusals {
        __typename
        message
        ... on InsufficientCredits {
          required
          available
          short
          resetsAt
        }
      }
      estimate {
        credits
        alternatives { description credits saves }
      }
    }
  }
}
`;

const editPicture = `# Takes the background away from a picture of the
# library; "MyAccount" lists the ids of the newest.
# A picture of your own comes in by createUpload
# or importImage.
query EstimateEdit($image: ID!) {
  estimateEdit(image: $image, edit: { removeBackground: {} }) {
    credits
    size { width height }
    lines { label credits }
    routes { id expectedSeconds }
    preflight { ok refusals { __typename message } }
  }
}

mutation RemoveBackground($image: ID!) {
  editImage(
    image: $image
    edit: { removeBackground: {} }
    waitSeconds: 30
  ) {
    ... on Submission {
      job {
        status
        images { asset { id url } failure { message } }
        receipt { quoted captured released }
      }
    }
    ... on Refused { refusals { __typename message } }
  }
}
`;

/** Several operations in one tab: the round button asks which one to run. */
const recipes = [...Object.values(RECIPES).map(({ query }) => query), OUTCOME].join('\n');

const myAccount = `# Whose key is in the headers below,
# what it may do and what it has left.
query MyAccount {
  viewer {
    name
    tier
    balance
    held
    available
    unlimited
    credits { monthly topup periodEndsAt }
    limits {
      qualityMax
      modules
      imagesPerOperation
      runningJobs
      submissionsPerMinute
    }
    allowances { provider limit left }
    rateLimit { limit remaining resetsAt }
  }

  # What it made last.
  assets(first: 5) { nodes { id prompt model cost createdAt url } }
}
`;

const everyCredit = `# Every movement of your credits, newest first.
query EveryCredit {
  ledger(first: 20) {
    nodes {
      createdAt
      kind
      reason
      bucket
      amount
      balanceAfter
      job { id operation status }
    }
    pageInfo { endCursor }
  }

  # Who pays, whatever happens to an image.
  settlementPolicy { event when credits vendorCost next failureCode }
}
`;

const pricesInForce = `# Every price there is. Sizes: S is up to half a
# megapixel, M up to one and a half, L above.
query PriceBook {
  priceBook {
    version
    effectiveAt
    generateByQuality { ...Row }
    generateByModel { ...Row }
    edit { ...Row }
    upscale { ...Row }
    optimize
    tiers {
      tier
      monthlyCredits
      qualityMax
      imagesPerOperation
      runningJobs
      submissionsPerMinute
      freeImagesHuggingface
      freeImagesGemini
    }
  }
}

fragment Row on PriceRow { name prices { S M L } }
`;

/** What the playground opens with: something worth running, in the order a newcomer would want it. */
export const PLAYGROUND_TABS: readonly PlaygroundTab[] = [
  { query: estimateOneImage },
  { query: guideExamples },
  { query: generateAndReadReceipt },
  { query: recipes },
  { query: editPicture, variables: '{ "image": "asset_…" }' },
  { query: watchJob, variables: '{ "id": "job_…" }' },
  { query: watchBalance },
  { query: myAccount },
  { query: everyCredit },
  { query: pricesInForce },
];
