/**
 * One listener of the live stream, and what waits for it.
 *
 * What waits is bounded whatever the client does: of readings only the newest counts, so it replaces the one before; events are
 * kept in order, the oldest make room when there are too many, and the client is told how many it missed. Bytes are made
 * only when the connection asks for them, and a stream nobody ever reads (a HEAD request) never begins.
 */

const EVENT_LIMIT = 256;

export interface StreamHandlers {
  /** The connection asks for the first bytes. */
  readonly onBegin: (client: StreamClient) => void;
  /** The client has gone. */
  readonly onEnd: (client: StreamClient) => void;
}

export class StreamClient {
  /** What the response sends. */
  readonly body: ReadableStream<Uint8Array>;
  #head: string;
  #reading = '';
  #events: string[] = [];
  #missed = 0;
  #beat = '';
  #wake: (() => void) | undefined;
  #began = false;
  #ended = false;

  /** `head` is sent first. */
  constructor(head: string, handlers: StreamHandlers) {
    this.#head = head;
    const encoder = new TextEncoder();
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (!this.#began) {
        this.#began = true;
        handlers.onBegin(this);
      }
      let text = this.#take();
      while (text === '' && !this.#ended) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        text = this.#take();
      }
      if (text !== '') controller.enqueue(encoder.encode(text));
      else controller.close();
    };
    const cancel = () => {
      this.#ended = true;
      this.#wakeUp();
      handlers.onEnd(this);
    };
    // No byte is made before it is asked for.
    this.body = new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  }

  /** Offers a reading; an older one that still waits is dropped. */
  offerReading(data: string): void {
    this.#reading = `event: reading\ndata: ${data}\n\n`;
    this.#wakeUp();
  }

  offerEvent(data: string): void {
    if (this.#events.length === EVENT_LIMIT) {
      this.#events.shift();
      this.#missed++;
    }
    this.#events.push(`event: event\ndata: ${data}\n\n`);
    this.#wakeUp();
  }

  /** Shows that the connection lives. */
  beat(): void {
    this.#beat = ': beat\n\n';
    this.#wakeUp();
  }

  /** Ends the stream once what waits has been sent. */
  end(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  #take(): string {
    const missed = this.#missed === 0 ? '' : `: ${this.#missed} events missed\n\n`;
    const text = this.#head + missed + this.#events.join('') + this.#reading + this.#beat;
    this.#head = '';
    this.#missed = 0;
    this.#events = [];
    this.#reading = '';
    this.#beat = '';
    return text;
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
