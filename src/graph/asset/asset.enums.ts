import { registerEnumType } from 'type-graphql';
import { ASSET_ORDER_FIELDS, ASSET_STATUSES, ORDER_DIRECTIONS } from '../../assets/asset-filter.ts';
import { RENDITION_FITS, RENDITION_FORMATS } from '../../assets/rendition.ts';
import { named } from '../enums.ts';

export const AssetStatusEnum = named(ASSET_STATUSES);
registerEnumType(AssetStatusEnum, {
  name: 'AssetStatus',
  description: 'Whether an asset is in the library.',
  valuesConfig: {
    KEPT: { description: 'It is in the library.' },
    DELETED: { description: 'It was deleted and can still be had back.' },
  },
});

export const AssetOrderFieldEnum = named(ASSET_ORDER_FIELDS);
registerEnumType(AssetOrderFieldEnum, {
  name: 'AssetOrderField',
  description: 'What assets are sorted by.',
  valuesConfig: {
    CREATED: { description: 'When they were stored.' },
    COST: { description: 'What was captured for each of them.' },
    SIZE: { description: 'Bytes of the file.' },
    TITLE: { description: 'The title, capitals or not; those without one are together.' },
  },
});

export const OrderDirectionEnum = named(ORDER_DIRECTIONS);
registerEnumType(OrderDirectionEnum, {
  name: 'OrderDirection',
  description: 'Which end of a list comes first.',
  valuesConfig: {
    ASC: { description: 'The oldest, the smallest, or the first letter.' },
    DESC: { description: 'The newest, the largest, or the last letter.' },
  },
});

export const RenditionFitEnum = named(RENDITION_FITS);
registerEnumType(RenditionFitEnum, {
  name: 'RenditionFit',
  description: 'How a picture comes to the size that is asked for. Nothing is ever enlarged.',
  valuesConfig: {
    INSIDE: { description: 'The whole picture in its own ratio, no side longer than asked; at most its own size.' },
    COVER: {
      description:
        'Exactly the size, filled: what stands over is cut off evenly. Where the picture is too small, the largest cut-out of that ratio.',
    },
    CONTAIN: {
      description:
        'Exactly the size, with the whole picture in the middle: around it transparent, white in a JPEG. Where the picture is too small, the smallest frame of that ratio around it.',
    },
  },
});

export const RenditionFormatEnum = named(RENDITION_FORMATS);
registerEnumType(RenditionFormatEnum, {
  name: 'RenditionFormat',
  description: 'File formats that a picture can be fetched in.',
  valuesConfig: {
    PNG: { description: 'Every pixel as it is; can be transparent.' },
    JPEG: { description: 'Small, for photographs; what shows through is put on white.' },
    WEBP: { description: 'Smaller than JPEG; can be transparent; no side longer than 16383.' },
    AVIF: { description: 'Smallest, and slowest to draw; can be transparent; at most 16777216 pixels.' },
  },
});
