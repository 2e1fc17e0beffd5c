import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { AssetKind } from '../../assets/asset.ts';
import { connectionOf } from '../connection.ts';
import { AssetKindEnum, OperationEnum, ProviderEnum } from '../enums.ts';
import { Node } from '../node/node.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description: 'A stored picture: what it is, where it came from and what it cost.',
  simpleResolvers: true,
})
export class Asset extends Node {
  @Field(() => AssetKindEnum, { description: 'Whether a job made it or it came from outside.' })
  kind!: string;

  @Field(() => OperationEnum, { nullable: true, description: 'The operation that made it; null for one from outside.' })
  operation!: string | null;

  @Field(() => ProviderEnum, { nullable: true, description: 'The vendor that drew it.' })
  provider!: string | null;

  @Field(() => String, { nullable: true, description: 'The model that drew it, such as "stability/core".' })
  model!: string | null;

  @Field(() => String, { nullable: true, description: 'The words it was drawn from.' })
  prompt!: string | null;

  @Field(() => String, { nullable: true, description: 'What was to be left out.' })
  negativePrompt!: string | null;

  @Field(() => Number, {
    nullable: true,
    description: 'The seed it was drawn with; null where the vendor does not say.',
  })
  seed!: number | null;

  @Field(() => Int, { description: 'Pixels from left to right, measured.' })
  width!: number;

  @Field(() => Int, { description: 'Pixels from top to bottom, measured.' })
  height!: number;

  @Field(() => Int, { name: 'bytes', simple: false, description: 'Size of the file, in bytes.' })
  byteCount!: number;

  @Field(() => String, { description: 'Media type of the file, such as image/png.' })
  contentType!: string;

  @Field(() => String, { description: 'SHA-256 of the file, in hexadecimal.' })
  sha256!: string;

  @Field(() => CreditsScalar, { name: 'cost', simple: false, description: 'What was captured for it.' })
  credits!: bigint;

  @Field(() => Int, { nullable: true, description: 'The version of the price book it was charged by.' })
  priceVersion!: number | null;

  @Field(() => DateTimeScalar, { description: 'When it was stored.' })
  createdAt!: Date;
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
}

export const AssetConnection = connectionOf(Asset, 'Asset', 'assets');
