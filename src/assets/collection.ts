/** A named group of assets. An asset can be in many. */
export interface Collection {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** The asset that was chosen to stand for it; null for the one that was added last. */
  readonly coverId: string | null;
  readonly createdAt: Date;
}

/** What is in a collection, deleted assets left out. */
export interface CollectionContents {
  readonly assets: number;
  /** The chosen cover if it is still there, else what was added last; null for an empty one. */
  readonly coverId: string | null;
}
