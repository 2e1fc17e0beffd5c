import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { PLATFORM_LIMITS, type SocialFormat as SocialFormatRecord, safeArea } from '../../social/social-formats.ts';
import { OutputFormatEnum, SocialPlatformEnum } from '../enums.ts';

@ObjectType({
  description: "How much of each side the network's own buttons and texts cover, as a fraction of it.",
  simpleResolvers: true,
})
export class SafeZone {
  @Field(() => Float, { description: 'Of the height, from the top.' })
  top!: number;

  @Field(() => Float, { description: 'Of the height, from the bottom.' })
  bottom!: number;

  @Field(() => Float, { description: 'Of the width, from the left.' })
  left!: number;

  @Field(() => Float, { description: 'Of the width, from the right.' })
  right!: number;
}

@ObjectType({ description: 'A part of a picture, in pixels.', simpleResolvers: true })
export class PixelArea {
  @Field(() => Int, { description: 'Its left edge.' })
  x!: number;

  @Field(() => Int, { description: 'Its upper edge.' })
  y!: number;

  @Field(() => Int, { description: 'Pixels from left to right.' })
  width!: number;

  @Field(() => Int, { description: 'Pixels from top to bottom.' })
  height!: number;
}

@ObjectType({
  description: 'One place in a social network where a picture can stand, with the exact size that it has there.',
  simpleResolvers: true,
})
export class SocialFormat {
  @Field(() => ID, { description: 'What to give as one of `formats`, such as "instagram-story".' })
  id!: string;

  @Field(() => SocialPlatformEnum, { description: 'The social network.' })
  platform!: string;

  @Field(() => String, { description: 'Its name, as people know it.' })
  name!: string;

  @Field(() => Int, { description: 'Exact width, in pixels.' })
  width!: number;

  @Field(() => Int, { description: 'Exact height, in pixels.' })
  height!: number;

  @Field(() => SafeZone, { description: 'What is covered at each side.' })
  safeZone!: SafeZone;

  @Field(() => PixelArea, { description: 'The part that nothing covers: what matters belongs there.' })
  safeArea!: PixelArea;

  @Field(() => Int, { description: 'The largest file that the network takes, in bytes. Results are made to fit.' })
  bytesMax!: number;

  @Field(() => [OutputFormatEnum], { description: 'The file formats that the network takes.' })
  fileTypes!: readonly string[];
}

export function toSocialFormat(format: SocialFormatRecord): SocialFormat {
  return { ...format, ...PLATFORM_LIMITS[format.platform], safeArea: safeArea(format) };
}
