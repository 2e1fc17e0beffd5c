import { Field, ID, InputType } from 'type-graphql';
import type { AssetKind } from '../../assets/asset.ts';
import {
  type AssetFilter,
  type AssetOrder,
  type AssetStatus,
  SEARCH_LENGTH_MAX,
  TAG_LENGTH_MAX,
  TAGS_MAX,
} from '../../assets/asset-filter.ts';
import { TITLE_LENGTH_MAX } from '../../assets/curation.service.ts';
import { AssetKindEnum, OperationEnum, ProviderEnum, QualityEnum } from '../enums.ts';
import { given } from '../given.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { AssetOrderFieldEnum, AssetStatusEnum, OrderDirectionEnum } from './asset.enums.ts';

const TAGS = `At most ${TAGS_MAX} tags of 1 to ${TAG_LENGTH_MAX} characters, capitals or not.`;

@InputType({ description: 'Which tags an asset must have.' })
export class TagFilterInput {
  @Field(() => [String], { nullable: true, description: `At least one of these. ${TAGS}` })
  any?: string[] | null;

  @Field(() => [String], { nullable: true, description: `Every one of these. ${TAGS}` })
  all?: string[] | null;
}

@InputType({ description: 'A stretch of time; both ends belong to it, and either can be left out.' })
export class DateRangeInput {
  @Field(() => DateTimeScalar, { nullable: true, description: 'Not before this moment.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Not after this moment.' })
  to?: Date | null;
}

@InputType({ description: 'A range of credits; both ends belong to it, and either can be left out.' })
export class CreditsRangeInput {
  @Field(() => CreditsScalar, { nullable: true, description: 'At least so many credits.' })
  min?: bigint | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'At most so many credits.' })
  max?: bigint | null;
}

@InputType({ description: 'Which assets to list; what is left out does not matter.' })
export class AssetFilterInput {
  @Field(() => AssetKindEnum, { nullable: true, description: 'Made by a job, or brought in from outside.' })
  kind?: AssetKind | null;

  @Field(() => OperationEnum, { nullable: true, description: 'Made by this operation.' })
  operation?: string | null;

  @Field(() => ProviderEnum, { nullable: true, description: 'Drawn by this vendor.' })
  provider?: string | null;

  @Field(() => String, { nullable: true, description: 'Drawn by this model, by its full id.' })
  model?: string | null;

  @Field(() => QualityEnum, { nullable: true, description: 'Generated in this quality class.' })
  quality?: string | null;

  @Field(() => TagFilterInput, { nullable: true, description: 'With these tags.' })
  tags?: TagFilterInput | null;

  @Field(() => Boolean, { nullable: true, description: 'Marked as a favourite, or not.' })
  favourite?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'In the collection of this id.' })
  collection?: string | null;

  @Field(() => ID, { nullable: true, description: 'Made from the asset of this id.' })
  parent?: string | null;

  @Field(() => DateRangeInput, { nullable: true, description: 'Stored at this time.' })
  created?: DateRangeInput | null;

  @Field(() => CreditsRangeInput, { nullable: true, description: 'For which so many credits were captured.' })
  cost?: CreditsRangeInput | null;

  @Field(() => AssetStatusEnum, {
    defaultValue: 'KEPT',
    description: 'In the library, or deleted and still to be had back.',
  })
  status!: AssetStatus;

  @Field(() => String, {
    nullable: true,
    description: `Words of the title or the prompt, as in a search box: all of them must be there in some form, "or" between two asks for either, a minus in front excludes one, quotes keep words together. 1 to ${SEARCH_LENGTH_MAX} characters.`,
  })
  search?: string | null;
}

@InputType({ description: 'How a list of assets is sorted. Those that are equal follow each other by their ids.' })
export class AssetOrderInput {
  @Field(() => AssetOrderFieldEnum, { defaultValue: 'CREATED', description: 'What to sort by.' })
  field!: AssetOrder['field'];

  @Field(() => OrderDirectionEnum, { defaultValue: 'DESC', description: 'Which end comes first.' })
  direction!: AssetOrder['direction'];
}

@InputType({ description: 'What to change of an asset; what is left out stays.' })
export class AssetChangeInput {
  @Field(() => String, {
    nullable: true,
    description: `What to call it, 1 to ${TITLE_LENGTH_MAX} characters; null takes the title away.`,
  })
  title?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it is a favourite.' })
  favourite?: boolean | null;

  @Field(() => [String], { nullable: true, description: `All of its tags from now on. ${TAGS}` })
  tags?: string[] | null;
}

export function toAssetFilter({ tags, created, cost, ...simple }: AssetFilterInput): AssetFilter {
  return {
    ...given(simple),
    ...(tags && { tags: given(tags) }),
    ...(created && { created: given(created) }),
    ...(cost && { cost: given(cost) }),
  };
}
