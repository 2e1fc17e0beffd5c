import { watchBalance, watchJob } from './examples.live.ts';

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

const guideExamples = `# Four campaigns, priced step by step before
# anything is run: 29, 12, 21 and 90 credits.
query GuideExamples {
  socialCampaign: estimateWorkflow(
    input: {
      steps: [
        {
          id: "pictures"
          operation: { generate: { prompt: "Autumn menu", count: 5 } }
        }
        {
          id: "cutouts"
          from: "pictures"
          times: 3
          operation: { edit: { removeBackground: {} } }
        }
        {
          id: "posts"
          from: "cutouts"
          operation: {
            optimize: { platforms: [INSTAGRAM, FACEBOOK, LINKEDIN] }
          }
        }
      ]
    }
  ) { ...Price }

  blogFeaturedImage: estimateWorkflow(
    input: {
      steps: [
        {
          id: "picture"
          operation: { generate: { prompt: "A desk in the rain", quality: PREMIUM } }
        }
        {
          id: "large"
          from: "picture"
          operation: { upscale: { mode: CONSERVATIVE } }
        }
        {
          id: "shares"
          from: "large"
          operation: { optimize: { platforms: [TWITTER, LINKEDIN] } }
        }
      ]
    }
  ) { ...Price }

  productPhotography: estimateWorkflow(
    input: {
      steps: [
        {
          id: "product"
          operation: { generate: { prompt: "A canvas backpack", quality: PREMIUM } }
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
            edit: { searchRecolor: { selectPrompt: "backpack", prompt: "green" } }
          }
        }
      ]
    }
  ) { ...Price }

  contentLibrary: estimateWorkflow(
    input: {
      steps: [
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
        }
      ]
    }
  ) { ...Price }
}

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
  assets(first: 5) { nodes { prompt model cost createdAt url } }
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
  { query: watchJob, variables: '{ "id": "job_…" }' },
  { query: watchBalance },
  { query: myAccount },
  { query: pricesInForce },
];
