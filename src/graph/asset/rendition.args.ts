import { ArgsType, Field, Int } from 'type-graphql';
import {
  RENDITION_SIDE_MAX,
  RENDITION_SIDE_MIN,
  type RenditionFit,
  type RenditionFormat,
} from '../../assets/rendition.ts';
import { RenditionFitEnum, RenditionFormatEnum } from './asset.enums.ts';

const SIDE = `${RENDITION_SIDE_MIN} to ${RENDITION_SIDE_MAX}. COVER and CONTAIN need both sides; INSIDE works out the other one.`;

@ArgsType()
export class RenditionArgs {
  @Field(() => Int, { nullable: true, description: `Pixels from left to right, ${SIDE}` })
  width?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels from top to bottom, ${SIDE}` })
  height?: number | null;

  @Field(() => RenditionFitEnum, {
    nullable: true,
    defaultValue: 'INSIDE',
    description: 'How it comes to that size. By itself INSIDE changes nothing: the address is that of the original.',
  })
  fit?: RenditionFit | null;

  @Field(() => RenditionFormatEnum, {
    nullable: true,
    description: "The file format; the picture's own when left out.",
  })
  format?: RenditionFormat | null;
}
