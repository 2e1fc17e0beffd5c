import { Field, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../connection.ts';
import { AssetKindEnum, OperationEnum, ProviderEnum, QualityEnum } from '../enums.ts';
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

  @Field(() => String, { nullable: true, description: 'What its owner calls it.' })
  title!: string | null;

  @Field(() => Boolean, { description: 'Whether its owner marked it as a favourite.' })
  favourite!: boolean;

  @Field(() => QualityEnum, {
    nullable: true,
    description:
      'The quality class it was generated in; null for every other picture, and for those from before that was kept.',
  })
  quality!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was deleted; null while it is in the library.' })
  deletedAt!: Date | null;
}

export const AssetConnection = connectionOf(Asset, 'Asset', 'assets');
Field(() => Int, {
  description:
    'Assets of all pages together. They are counted when this is asked for, which takes longer the more there are.',
})(AssetConnection.prototype, 'totalCount');

@ObjectType({ description: 'A tag of the account.', simpleResolvers: true })
export class TagCount {
  @Field(() => String, { description: 'The tag, in small letters.' })
  tag!: string;

  @Field(() => Int, { description: 'Assets in the library that have it.' })
  assets!: number;
}
