import { registerEnumType } from 'type-graphql';
import { ASSET_ORDER_FIELDS, ASSET_STATUSES, ORDER_DIRECTIONS } from '../../assets/asset-filter.ts';
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
