import { registerEnumType } from 'type-graphql';
import { API_KEY_SCOPES } from '../accounts/scopes.ts';
import { ASSET_KINDS } from '../assets/asset.ts';
import { INTAKE_REASONS } from '../assets/intake.ts';
import { UPLOAD_STATUSES } from '../assets/upload.ts';
import { LIGHT_DIRECTIONS } from '../catalog/edits.ts';
import { EDIT_KINDS, MODULES, OPERATIONS, QUALITIES, UPSCALE_MODES, UPSCALE_PRESETS } from '../catalog/operations.ts';
import { OUTPUT_FORMATS } from '../catalog/output-formats.ts';
import { SIZE_CLASSES } from '../catalog/sizes.ts';
import { TEMPLATE_CATEGORIES, TEMPLATE_PLATFORMS } from '../catalog/templates.ts';
import { BUCKETS } from '../credits/balance.ts';
import { FAILURE_CODES, IMAGE_STATUSES, JOB_STATUSES } from '../jobs/job.ts';
import { TIERS } from '../pricing/price-book.ts';
import { CROPS } from '../social/optimize-request.ts';
import { SOCIAL_PLATFORMS } from '../social/social-formats.ts';

/** type-graphql wants an object; ours are lists of the very names that the schema shows. */
export function named<const Name extends string>(names: readonly Name[]): { readonly [N in Name]: N } {
  return Object.fromEntries(names.map((name) => [name, name])) as { readonly [N in Name]: N };
}

export const OperationEnum = named(OPERATIONS);
registerEnumType(OperationEnum, { name: 'Operation', description: 'What can be done with pictures.' });

export const JobOperationEnum = named([...OPERATIONS, 'WORKFLOW']);
registerEnumType(JobOperationEnum, {
  name: 'JobOperation',
  description: 'What a job runs.',
  valuesConfig: { WORKFLOW: { description: 'Several operations that build on each other.' } },
});

export const QualityEnum = named(QUALITIES);
registerEnumType(QualityEnum, {
  name: 'Quality',
  description: 'How good, and how dear. A quality has one flat price a size, whichever model serves it.',
  valuesConfig: {
    DRAFT: { description: 'Fast and cheap: for trying ideas.' },
    STANDARD: { description: 'The balance for everyday use.' },
    PREMIUM: { description: 'The best there is.' },
  },
});

export const ProviderEnum = {
  STABILITY: 'stability',
  WAVESPEED: 'wavespeed',
  HUGGINGFACE: 'huggingface',
  GEMINI: 'gemini',
} as const;
registerEnumType(ProviderEnum, { name: 'ProviderName', description: 'A vendor of image models.' });

export const ProviderModeEnum = named(['LIVE', 'SANDBOX', 'OFF']);
registerEnumType(ProviderModeEnum, {
  name: 'ProviderMode',
  description: 'How a provider is reached.',
  valuesConfig: {
    LIVE: { description: 'The vendor itself, with a key.' },
    SANDBOX: { description: 'Our local stand-in: real pixels, marked SANDBOX, no key and no network.' },
    OFF: { description: 'Not used by this gateway.' },
  },
});

export const SizeClassEnum = named(SIZE_CLASSES);
registerEnumType(SizeClassEnum, {
  name: 'SizeClass',
  description: 'Price classes by pixels: S up to 524,288, M up to 1,572,864, L above.',
});

export const TierEnum = named(TIERS);
registerEnumType(TierEnum, { name: 'Tier', description: 'What an account may do, from FREE to ENTERPRISE.' });

export const RoleEnum = named(['CUSTOMER', 'OPERATOR']);
registerEnumType(RoleEnum, {
  name: 'Role',
  description: 'Customers run operations; operators also set prices, tiers and credits.',
});

export const ApiKeyScopeEnum = named(API_KEY_SCOPES);
registerEnumType(ApiKeyScopeEnum, {
  name: 'ApiKeyScope',
  description:
    'What a key may be used for. Any key that works may read its own account, the catalog, the templates and the price book.',
  valuesConfig: {
    ESTIMATE: { description: 'Ask what things cost.' },
    RUN: { description: 'Submit, watch and cancel jobs, and see the pictures that belong to them.' },
    LIBRARY: { description: 'Read and change the library: assets, uploads, imports.' },
    OPERATOR: { description: 'What is for operators. Only keys of their accounts have it.' },
  },
});

export const ModuleEnum = named(MODULES);
registerEnumType(ModuleEnum, { name: 'Module', description: 'A part of the product that a tier includes or not.' });

export const EditKindEnum = named(EDIT_KINDS);
registerEnumType(EditKindEnum, { name: 'EditKind', description: 'The kinds of edit.' });

export const UpscaleModeEnum = named(UPSCALE_MODES);
registerEnumType(UpscaleModeEnum, {
  name: 'UpscaleMode',
  description: 'How a picture is enlarged.',
  valuesConfig: {
    FAST: { description: 'Four times each side, in about a second.' },
    CONSERVATIVE: { description: 'To 4 megapixels, true to the picture.' },
    CREATIVE: { description: 'To 4 megapixels, inventing detail.' },
  },
});

export const UpscalePresetEnum = named(UPSCALE_PRESETS);
registerEnumType(UpscalePresetEnum, {
  name: 'UpscalePreset',
  description: 'The exact longer side of the result. Has no effect on the price.',
  valuesConfig: {
    WEB: { description: '2048 pixels.' },
    PRINT: { description: '3072 pixels.' },
    SOCIAL: { description: '1080 pixels.' },
  },
});

export const SocialPlatformEnum = named(SOCIAL_PLATFORMS);
registerEnumType(SocialPlatformEnum, {
  name: 'SocialPlatform',
  description: 'A social network that pictures are sized for.',
});

export const CropEnum = named(CROPS);
registerEnumType(CropEnum, {
  name: 'Crop',
  description: 'How a picture of one shape is brought to another.',
  valuesConfig: {
    SMART: { description: 'Cut around what draws the eye.' },
    CENTER: { description: 'Cut around the middle.' },
    FOCAL: { description: 'Cut around the focalPoint.' },
    FIT: { description: 'Nothing is cut off: the rest is filled with the padding.' },
  },
});

export const OutputFormatEnum = named(OUTPUT_FORMATS);
registerEnumType(OutputFormatEnum, { name: 'OutputFormat', description: 'File formats that results can have.' });

export const LightDirectionEnum = named(LIGHT_DIRECTIONS);
registerEnumType(LightDirectionEnum, { name: 'LightDirection', description: 'Where light comes from.' });

export const TransparentFormatEnum = named(['PNG', 'WEBP']);
registerEnumType(TransparentFormatEnum, {
  name: 'TransparentFormat',
  description: 'File formats that can be transparent.',
});

export const TemplateCategoryEnum = named(TEMPLATE_CATEGORIES);
registerEnumType(TemplateCategoryEnum, { name: 'TemplateCategory', description: 'What a template is for.' });

export const TemplatePlatformEnum = named(TEMPLATE_PLATFORMS);
registerEnumType(TemplatePlatformEnum, {
  name: 'TemplatePlatform',
  description: 'Where a picture made from a template is shown.',
});

export const AssetKindEnum = named(ASSET_KINDS);
registerEnumType(AssetKindEnum, {
  name: 'AssetKind',
  description: 'Where a picture of the library is from.',
  valuesConfig: {
    OUTPUT: { description: 'A job made it.' },
    INPUT: { description: 'It was uploaded or imported.' },
  },
});

export const UploadStatusEnum = named(UPLOAD_STATUSES);
registerEnumType(UploadStatusEnum, {
  name: 'UploadStatus',
  description: 'How an upload stands.',
  valuesConfig: {
    PENDING: {
      description: 'It waits for its picture, until it expires. A sender that was cut off may try again till then.',
    },
    READY: { description: 'The picture is in the library.' },
    REJECTED: { description: 'What came was not a picture that is taken. Create another upload.' },
  },
});

export const UploadRejectionEnum = named(INTAKE_REASONS);
registerEnumType(UploadRejectionEnum, {
  name: 'UploadRejectionCode',
  description: 'The rule that a picture from outside broke.',
  valuesConfig: {
    EMPTY: { description: 'There was nothing.' },
    UNSUPPORTED: { description: 'Its content is not PNG, JPEG, WebP or AVIF.' },
    ANIMATED: { description: 'It has several frames.' },
    UNREADABLE: { description: 'It is truncated or corrupt.' },
    TOO_SMALL: { description: 'A side is too short.' },
    TOO_MANY_PIXELS: { description: 'A side is too long, or it has too many pixels in all.' },
    TOO_LARGE: { description: 'It has too many bytes.' },
  },
});

export const JobStatusEnum = named(JOB_STATUSES);
registerEnumType(JobStatusEnum, {
  name: 'JobStatus',
  description: 'How a job stands.',
  valuesConfig: {
    QUEUED: { description: 'Accepted and paid aside; waiting for its turn.' },
    RUNNING: { description: 'Its images are out at the vendors.' },
    SUCCEEDED: { description: 'Every image was delivered.' },
    PARTIAL: { description: 'Some images were delivered; the others were released.' },
    FAILED: { description: 'No image was delivered; everything was released.' },
    CANCELLED: { description: 'Stopped before any image was delivered; everything was released.' },
  },
});

export const ImageStatusEnum = named(IMAGE_STATUSES);
registerEnumType(ImageStatusEnum, { name: 'ImageStatus', description: 'How one image of a job stands.' });

export const FailureCodeEnum = named(FAILURE_CODES);
registerEnumType(FailureCodeEnum, {
  name: 'FailureCode',
  description: 'Why an image was not delivered. It was not charged, whichever it is.',
  valuesConfig: {
    CONTENT_REFUSED: { description: "A vendor's moderation withheld it. Change the prompt." },
    PROVIDERS_REFUSED: { description: 'Every vendor that could draw it turned it down.' },
    PROVIDERS_UNAVAILABLE: { description: 'No vendor that could draw it was answering as it should.' },
    OUTCOME_UNKNOWN: { description: 'A vendor did not say whether it drew it, and no other could.' },
    DEADLINE_PASSED: { description: 'It took longer than an image may take.' },
    UNUSABLE_PICTURE: { description: 'What the vendor sent was not a usable picture.' },
    NOT_STORABLE: { description: 'It was drawn but could not be stored.' },
    SOURCE_FAILED: { description: 'The picture that it builds on was not delivered.' },
    SOURCE_UNUSABLE: {
      description: 'The picture to work on could not be read, or not be made into what the vendors take.',
    },
  },
});

export const CircuitStateEnum = named(['CLOSED', 'OPEN', 'HALF_OPEN']);
registerEnumType(CircuitStateEnum, {
  name: 'CircuitState',
  description: 'Whether calls go through to a vendor.',
  valuesConfig: {
    CLOSED: { description: 'They go through: all is well.' },
    OPEN: {
      description: 'None goes through for a while, because the last ones went wrong or the vendor asked for it.',
    },
    HALF_OPEN: { description: 'One goes through, and its end decides.' },
  },
});

export const BucketEnum = named(BUCKETS);
registerEnumType(BucketEnum, {
  name: 'Bucket',
  description: 'Where credits of an account are. The buckets of an account always add up to zero.',
});

export const EntryKindEnum = named(['GRANT', 'HOLD', 'CAPTURE', 'RELEASE', 'EXPIRE']);
registerEnumType(EntryKindEnum, { name: 'LedgerEntryKind', description: 'Why credits moved.' });

export const LineKindEnum = named(['PRICE', 'FREE_ALLOWANCE', 'PREPARATION']);
registerEnumType(LineKindEnum, {
  name: 'EstimateLineKind',
  description: 'What a line of an estimate stands for.',
  valuesConfig: {
    PRICE: { description: 'The price of the images.' },
    FREE_ALLOWANCE: { description: 'Images that a free allowance pays.' },
    PREPARATION: { description: 'What we do to a picture ourselves, at no price.' },
  },
});

export const CapEnum = named(['SPEND_CAP', 'BUDGET', 'MAX_CREDITS']);
registerEnumType(CapEnum, {
  name: 'Cap',
  description: 'Which limit on spending was met.',
  valuesConfig: {
    SPEND_CAP: { description: "The account's spend cap of this period." },
    BUDGET: { description: 'The cap of the budget that was named.' },
    MAX_CREDITS: { description: "The caller's own maxCredits." },
  },
});

export const QuoteReasonEnum = named(['EXPIRED', 'INPUT_CHANGED', 'ALLOWANCE_USED']);
registerEnumType(QuoteReasonEnum, {
  name: 'QuoteInvalidReason',
  description: 'Why a quote does not hold.',
  valuesConfig: {
    EXPIRED: { description: 'It is too old.' },
    INPUT_CHANGED: { description: 'It was given for another input, or to another account.' },
    ALLOWANCE_USED: { description: 'The free images it counted on were used meanwhile.' },
  },
});
