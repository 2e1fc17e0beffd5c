import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { formatsOf, SOCIAL_FORMATS, type SocialPlatform } from '../../social/social-formats.ts';
import { ANY_SCOPE, type GraphContext, viewerOf } from '../context.ts';
import { SocialPlatformEnum } from '../enums.ts';
import { SocialFormat, toSocialFormat } from './social.type.ts';

@Resolver()
export class SocialResolver {
  @Query(() => [SocialFormat], {
    description: 'The formats of social networks. The first of a network is that of its feed. At most a few dozen.',
  })
  socialFormats(
    @Ctx() context: GraphContext,
    @Arg('platform', () => SocialPlatformEnum, {
      nullable: true,
      description: 'Of this network; of all when left out.',
    })
    platform: SocialPlatform | null,
  ): SocialFormat[] {
    viewerOf(context, ANY_SCOPE);
    return (platform ? formatsOf(platform) : SOCIAL_FORMATS).map(toSocialFormat);
  }
}
