import { Field, ID, ObjectType } from 'type-graphql';
import { UploadRejectionEnum, UploadStatusEnum } from '../enums.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({ description: 'Why the picture that came was not taken.', simpleResolvers: true })
export class UploadRejection {
  @Field(() => UploadRejectionEnum, { description: 'The rule that it broke.' })
  code!: string;

  @Field(() => String, { description: 'What came, what it must be, and what to do.' })
  message!: string;
}

@ObjectType({
  description:
    'A place in the library that waits for a picture: send its bytes to `url` with `method`, as they are. The picture is known by its content, not by a name or a header, and is written anew: upright, sRGB, 8 bits, without metadata.',
  simpleResolvers: true,
})
export class Upload {
  // Not `id`: that is the asset's, and a client's store that goes by ids alone must not mix the two.
  @Field(() => ID, {
    name: 'assetId',
    simple: false,
    description: 'The id that the asset has once the picture is there; the upload itself is asked for by it too.',
  })
  id!: string;

  @Field(() => UploadStatusEnum, { description: 'How it stands.' })
  status!: string;

  @Field(() => DateTimeScalar, { description: 'The address takes a picture that begins to come before this.' })
  expiresAt!: Date;

  @Field(() => UploadRejection, { nullable: true, description: 'Why the picture that came was not taken.' })
  rejection!: UploadRejection | null;
}
