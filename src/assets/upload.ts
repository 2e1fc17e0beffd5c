import type { IntakeReason } from './intake.ts';

export const UPLOAD_STATUSES = ['PENDING', 'READY', 'REJECTED'] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

/** A place in the library that waits for a picture, or what became of it. */
export interface Upload {
  /** The id that its asset has, or will have. */
  readonly id: string;
  readonly accountId: string;
  readonly status: UploadStatus;
  /** Bytes that have begun to come by then are taken. */
  readonly expiresAt: Date;
  /** How many bytes the account may keep; null for an upload from before that was asked. */
  readonly storageMax: number | null;
  /** Why what came was not taken; null unless REJECTED. */
  readonly rejection: { readonly code: IntakeReason; readonly message: string } | null;
}

export type UploadProblemReason =
  /** The address was never ours, or was changed. */
  | 'FORBIDDEN'
  | 'EXPIRED'
  /** It has its picture, or had one that was not taken. */
  | 'USED'
  /** Somebody else is sending to it now. */
  | 'BUSY'
  /** The bytes came too slowly. */
  | 'TOO_SLOW'
  /** The connection ended before the bytes did. */
  | 'BROKEN_OFF'
  /** This process is about to end. */
  | 'STOPPING';

/** Why an upload did not take place for reasons other than its picture. `message` is written for whoever sends. */
export class UploadProblem extends Error {
  override readonly name = 'UploadProblem';

  constructor(
    readonly reason: UploadProblemReason,
    message: string,
  ) {
    super(message);
  }
}
