import { GoogleAuth } from 'google-auth-library';
import type { Log } from '../../platform/log.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_TIMEOUT_MS = 10_000;

/**
 * Access tokens from Google's application default credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names, the
 * gcloud login, or the machine's own account on Google Cloud. Kept by the library until shortly before they lapse.
 */
export function googleAccessTokens(log: Log): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: [SCOPE] });
  return async () => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Google gave no token in ${TOKEN_TIMEOUT_MS / 1_000} s`)),
      TOKEN_TIMEOUT_MS,
    );
    try {
      const token = await Promise.race([auth.getAccessToken(), late.promise]);
      if (!token) throw new Error('Google gave no token');
      return token;
    } catch (error) {
      log.error({ err: error }, 'there is no access token for Vertex: an operator must look at the credentials');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}
