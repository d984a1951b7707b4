/** What an allocator tells of itself. Where its bytes are: `reserved = live + rounding + holes + table`. */
export interface SlabStatistics {
  /** All that its grant has given. */
  readonly reservedBytes: number;
  /** Bytes of the live blocks, as they were asked for. */
  readonly liveBytes: number;
  /** Live blocks. */
  readonly blocks: number;
  /** Size of one slab. */
  readonly slabBytes: number;
  /** Slabs that blocks share, empty ones among them. */
  readonly slabs: number;
  /** Slabs kept without a block. */
  readonly emptySlabs: number;
  /** Blocks with a buffer of their own. */
  readonly largeBlocks: number;
  /** Bytes of those buffers. */
  readonly largeBlockBytes: number;
  /** Bytes of the table that says where each block is. */
  readonly tableBytes: number;
  /** Lost because a block has a cell of its class: cells less blocks. */
  readonly roundingBytes: number;
  /** Free cells, free chunks, and ends of spans. */
  readonly holeBytes: number;
  /** Share of the slabs' bytes that is holes, 0 to 1. */
  readonly fragmentation: number;
  /** What moving blocks together would return. */
  readonly compactableBytes: number;
}
