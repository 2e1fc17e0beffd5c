import { Field, Float, InputType } from 'type-graphql';
import type { OutputFormat } from '../../catalog/output-formats.ts';
import { BLUR, type Crop, type OptimizeInput as DomainOptimizeInput } from '../../social/optimize-request.ts';
import type { SocialPlatform } from '../../social/social-formats.ts';
import { CropEnum, OutputFormatEnum, SocialPlatformEnum } from '../enums.ts';
import { given } from '../given.ts';

@InputType({ description: 'A point of a picture.' })
export class FocalPointInput {
  @Field(() => Float, { description: 'From the left, 0, to the right, 1.' })
  x!: number;

  @Field(() => Float, { description: 'From the top, 0, to the bottom, 1.' })
  y!: number;
}

@InputType({
  description: 'Cuts a picture to the sizes of social networks. Costs nothing. Give either platforms or formats.',
})
export class OptimizeInput {
  @Field(() => [SocialPlatformEnum], {
    nullable: true,
    description: 'Social networks, each once: each gets the format of its feed.',
  })
  platforms?: SocialPlatform[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Formats by their ids, each once; the socialFormats query lists them.',
  })
  formats?: string[] | null;

  @Field(() => CropEnum, { nullable: true, defaultValue: 'SMART', description: 'What is kept of the picture.' })
  crop?: Crop | null;

  @Field(() => FocalPointInput, {
    nullable: true,
    description: 'The point to cut around; for FOCAL, and needed there.',
  })
  focalPoint?: FocalPointInput | null;

  @Field(() => String, {
    nullable: true,
    description: `What FIT fills the rest with: a colour such as "#ffffff", or "${BLUR}" for the picture itself, blurred, which is usual.`,
  })
  padding?: string | null;

  @Field(() => OutputFormatEnum, {
    nullable: true,
    defaultValue: 'JPEG',
    description: 'The file format of the results. Not every social network takes WEBP.',
  })
  outputFormat?: OutputFormat | null;
}

export function toOptimizeInput({ focalPoint, ...input }: OptimizeInput): DomainOptimizeInput {
  return given({ ...input, focalPoint: focalPoint && { x: focalPoint.x, y: focalPoint.y } });
}
