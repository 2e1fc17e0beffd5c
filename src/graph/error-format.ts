import { ApolloServerErrorCode } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError, type ErrorCode } from '../errors.ts';
import { isDatabaseAway, sqlState } from '../platform/database-errors.ts';
import type { Log } from '../platform/log.ts';

/** Errors that are shown of one operation; the rest say no more. */
export const ERRORS_SHOWN_MAX = 5;

/** Errors that say more about how the request was made than about what it asked for. */
const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
};

/** A domain error as GraphQL carries it, with the HTTP status that belongs to it. */
export function toGraphQLError(error: DomainError): GraphQLError {
  const status = HTTP_STATUS[error.code];
  return new GraphQLError(error.message, {
    extensions: { ...error.details, code: error.code, ...(status && { http: { status } }) },
    originalError: error,
  });
}

const CLIENT_MISTAKES: ReadonlySet<unknown> = new Set([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED,
  ApolloServerErrorCode.BAD_USER_INPUT,
  ApolloServerErrorCode.BAD_REQUEST,
  ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_FOUND,
]);

/** Shows what was written for the caller and masks everything else behind an id that the log knows. */
export function errorFormatter(log: Log): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const cause = rootCause(error);
    const place = {
      ...(formatted.locations && { locations: formatted.locations }),
      ...(formatted.path && { path: formatted.path }),
    };
    if (cause instanceof DomainError)
      return { message: cause.message, ...place, extensions: { ...cause.details, code: cause.code } };
    const code = formatted.extensions?.code;
    if (CLIENT_MISTAKES.has(code) && !(cause instanceof Error && !(cause instanceof GraphQLError))) {
      return { message: formatted.message, ...place, extensions: { code } };
    }
    if (sqlState(cause) === UNTRANSLATABLE) {
      return {
        message: 'A text has a NUL character, which cannot be stored. Nothing was run and nothing was charged.',
        ...place,
        extensions: { code: ApolloServerErrorCode.BAD_USER_INPUT },
      };
    }
    const errorId = crypto.randomUUID();
    log.error({ err: cause, errorId }, 'a request failed for a reason of our own');
    return isDatabaseAway(cause)
      ? {
          message: `The gateway cannot reach its database just now. Nothing new was charged: a job's receipt always tells. Try again in a moment. (error ${errorId})`,
          ...place,
          extensions: { code: 'UNAVAILABLE', errorId },
        }
      : {
          message: `Something went wrong on our side. Nothing was charged that a job's receipt does not show. Try again; if it stays, tell us error ${errorId}.`,
          ...place,
          extensions: { code: ApolloServerErrorCode.INTERNAL_SERVER_ERROR, errorId },
        };
  };
}

/** SQLSTATE of a character that the database cannot hold: with UTF-8 only NUL. */
const UNTRANSLATABLE = '22021';

/** What was thrown, out of however many GraphQL errors it was wrapped in on the way. */
function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error;
}
