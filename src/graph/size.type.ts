import { Field, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A size in pixels.', simpleResolvers: true })
export class PixelSize {
  @Field(() => Int, { description: 'Pixels from left to right.' })
  width!: number;

  @Field(() => Int, { description: 'Pixels from top to bottom.' })
  height!: number;
}
