import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Asset as AssetRecord, CONTENT_TYPES } from '../../assets/asset.ts';
import { IMPORT_SECONDS_MAX, IMPORTS_PER_MINUTE, type Imports } from '../../assets/imports.service.ts';
import { INTAKE_BYTES_MAX } from '../../assets/intake.ts';
import type { Upload as UploadRecord } from '../../assets/upload.ts';
import { UPLOADS_PENDING_MAX, type Uploads } from '../../assets/uploads.service.ts';
import type { Tiers } from '../../tiers/tiers.service.ts';
import { Asset } from '../asset/asset.type.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { Upload } from './upload.type.ts';

@Resolver(() => Upload)
export class UploadResolver {
  constructor(
    private readonly uploads: Uploads,
    private readonly imports: Imports,
    private readonly tiers: Tiers,
  ) {}

  @Query(() => Upload, {
    description:
      'An upload of this account. It can be asked about for a day after it has expired; its asset stays. Needs the scope LIBRARY.',
  })
  upload(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The `assetId` of the upload.' }) id: string,
  ): Promise<UploadRecord> {
    return this.uploads.get(viewerOf(context, 'LIBRARY').id, id);
  }

  @Mutation(() => Upload, {
    description: `Reserves a place in the library for a picture of your own, and an address to send it to within 15 minutes. Free of charge; at most ${UPLOADS_PENDING_MAX} of an account may wait for their pictures at a time. Needs the scope LIBRARY.`,
  })
  createUpload(@Ctx() context: GraphContext): Promise<UploadRecord> {
    const viewer = viewerOf(context, 'LIBRARY');
    return this.uploads.create(viewer.id, this.tiers.allowed(viewer).storageBytes);
  }

  @Mutation(() => Asset, {
    description: `Fetches a picture of your own into the library from a public https address, under the rules of uploads: within ${IMPORT_SECONDS_MAX} seconds, at most ${INTAKE_BYTES_MAX} bytes, at most 3 redirects. Free of charge; at most ${IMPORTS_PER_MINUTE} a minute. Needs the scope LIBRARY.`,
  })
  importImage(
    @Ctx() context: GraphContext,
    @Arg('url', () => String, { description: 'Where it is, such as https://example.com/picture.png.' }) url: string,
  ): Promise<AssetRecord> {
    const viewer = viewerOf(context, 'LIBRARY');
    return this.imports.import(viewer.id, url, this.tiers.allowed(viewer).storageBytes);
  }

  @FieldResolver(() => String, {
    description:
      'Where to send the picture, without a key. Whoever holds this address may send one picture to it, once, from any page.',
  })
  url(@Root() upload: UploadRecord): string {
    return this.uploads.signedUrl(upload);
  }

  @FieldResolver(() => String, { description: 'The HTTP method to send it with: PUT.' })
  method(): string {
    return 'PUT';
  }

  @FieldResolver(() => Int, { description: 'The most bytes that the file may have.' })
  bytesMax(): number {
    return INTAKE_BYTES_MAX;
  }

  @FieldResolver(() => [String], { description: 'The media types of what is taken, four at present.' })
  contentTypes(): readonly string[] {
    return CONTENT_TYPES;
  }

  @FieldResolver(() => Asset, { nullable: true, description: 'The picture, once it is there.' })
  asset(@Root() upload: UploadRecord, @Ctx() context: GraphContext): Promise<AssetRecord | null> | null {
    return upload.status === 'READY' ? context.loaders.assetById.load(upload.id) : null;
  }
}
