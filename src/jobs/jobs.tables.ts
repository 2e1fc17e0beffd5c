import type { ProviderName } from '../catalog/models.ts';
import type { JobOperation, JobRequest } from '../estimates/job-request.ts';
import type { RejectionReason } from '../providers/provider.ts';
import type { AttemptOutcome, FailureCode, ImageStatus, JobStatus } from './job.ts';

export type JobRow = {
  id: string;
  account_id: string;
  operation: JobOperation;
  status: JobStatus;
  request: JobRequest;
  hold_id: string;
  price_version: number;
  credits: bigint;
  priority: number;
  running_max: number;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  lease_owner: string | null;
  lease_until: Date | null;
  woken_at: Date;
  /** W3C's `traceparent`. */
  trace_parent: string | null;
};

export type ImageRow = {
  id: string;
  job_id: string;
  index: number;
  step: number;
  run: number;
  status: ImageStatus;
  width: number;
  height: number;
  format: string | null;
  source_asset_id: string | null;
  source_image_id: string | null;
  credits: bigint;
  allowance: ProviderName | null;
  asset_id: string | null;
  failure_code: FailureCode | null;
  failure_message: string | null;
  finished_at: Date | null;
};

export type AttemptRow = {
  id: string;
  image_id: string;
  route_id: string;
  vendor_id: string | null;
  outcome: AttemptOutcome | null;
  reason: RejectionReason | null;
  message: string | null;
  /** What the vendor reported by itself, genuine but not yet read. */
  report: unknown;
  vendor_cost_micros: bigint | null;
  started_at: Date;
  finished_at: Date | null;
};

export type JobTables = {
  jobs: JobRow;
  job_images: ImageRow;
  job_attempts: AttemptRow;
  idempotency_keys: { account_id: string; key: string; input_hash: string; job_id: string; created_at: Date };
};
