/**
 * The port behind which embeddings are kept between runs: text costs money or time to embed, and is embedded again and again.
 *
 * An embedding is known by the model that made it and a hash of its text; the text itself is not kept. The store is a cache: bounded, what was
 * not used for longest goes first, and anything may be missing. So nothing here is worth failing for.
 */

/** One embedding. */
export interface StoredEmbedding {
  /** Of the text, by whoever calls; 1 to 128 characters. */
  readonly textHash: string;
  readonly vector: Float32Array;
}

/** What a store holds, over all models. */
export interface EmbeddingTotals {
  readonly rows: number;
  /** Of the vectors. */
  readonly bytes: number;
}

export interface EmbeddingStore {
  /**
   * The vectors of those hashes that are stored for `model`, each an array of its own. What is damaged counts as missing.
   * To be found counts as use.
   */
  get(model: string, textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;

  /**
   * Keeps vectors, in place of older ones, and deletes what was not used for longest where a bound is exceeded; durable when it resolves.
   *
   * @throws InvalidArgumentError for an empty vector, model or hash; then nothing is kept.
   */
  put(model: string, embeddings: readonly StoredEmbedding[]): Promise<void>;

  /** Deletes those of `model`, or all of it without hashes; resolves with how many there were. */
  delete(model: string, textHashes?: readonly string[]): Promise<number>;

  totals(): EmbeddingTotals;
}
