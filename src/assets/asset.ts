/** The kinds of picture that are kept. Vendors' other formats are turned into one of these before they are stored. */
export const CONTENT_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/avif'] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

/** How the name of a file of each kind ends. */
export const EXTENSIONS: Readonly<Record<ContentType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/avif': 'avif',
};

export const ASSET_KINDS = ['OUTPUT', 'INPUT'] as const;
/** Drawn by a job, or brought in from outside. */
export type AssetKind = (typeof ASSET_KINDS)[number];

/** A picture ready to be kept: what it is was measured, not believed. */
export interface FinishedPicture {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  readonly contentType: ContentType;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Whether something shows through it. */
  readonly transparent: boolean;
}

/** A picture whose bytes are safe on disk and whose row is still to be written. */
export interface StoredPicture {
  readonly id: string;
  readonly storageKey: string;
  readonly width: number;
  readonly height: number;
  readonly byteCount: number;
  readonly contentType: ContentType;
  readonly sha256: string;
  /** Whether something shows through it; null for pictures stored before that was measured. */
  readonly transparent: boolean | null;
}

/** Where a picture came from and what it cost. */
export interface Lineage {
  readonly accountId: string;
  readonly operation: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  /** The quality class that was asked for; null where quality plays no part. */
  readonly quality: string | null;
  readonly prompt: string | null;
  readonly negativePrompt: string | null;
  readonly seed: number | null;
  /** Hash of the canonical input that made it: equal hashes mean that the same was asked for. */
  readonly inputHash: string | null;
  readonly jobId: string | null;
  readonly imageId: string | null;
  /** The asset it was made from. */
  readonly parentId: string | null;
  /** What it cost, in milli-credits. */
  readonly credits: bigint;
  readonly priceVersion: number | null;
}

/** What a delivered image of a job becomes. */
export interface NewOutput extends StoredPicture, Lineage {
  readonly operation: string;
  readonly jobId: string;
  readonly imageId: string;
}

/** What a picture from outside becomes. It has no lineage: nobody here made it, and it cost nothing. */
export interface NewInput extends StoredPicture {
  readonly accountId: string;
}

export interface Asset extends StoredPicture, Lineage {
  readonly kind: AssetKind;
  readonly createdAt: Date;
  readonly title: string | null;
  /** The title as titles are sorted: in small letters, empty where there is none. */
  readonly titleKey: string;
  readonly favourite: boolean;
  /** Null for what is in the library. */
  readonly deletedAt: Date | null;
}

/** An asset with everything that it was made from. */
export interface Ancestry {
  /** From the first picture to the asset itself; deleted ones are among them. */
  readonly ids: readonly string[];
  /** What all of them cost, in milli-credits. */
  readonly credits: bigint;
}
