/**
 * How long a vendor may take for a call, start to last byte, and how much it may answer. How long it may draw, where the
 * answer is the picture, is the caller's to say.
 */
export const ORDER_CALL_TIMEOUT_MS = 30_000;
export const CHECK_CALL_TIMEOUT_MS = 15_000;
export const CANCEL_CALL_TIMEOUT_MS = 10_000;
export const DOWNLOAD_TIMEOUT_MS = 60_000;

/** A picture, or JSON with one in base64. */
export const PICTURE_ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** JSON that only says how a job stands. */
export const STATUS_ANSWER_BYTES_MAX = 1024 * 1024;

/** When to ask again after a check that told us nothing: the vendor or the network is in trouble. */
export const POLL_AFTER_TROUBLE_MS = 5_000;
