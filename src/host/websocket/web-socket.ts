import type { Duplex } from 'node:stream';
import { messageOf } from '../../errors.ts';
import { encodeFrame, encodeInPlace, FrameReader, Opcodes, ProtocolError, type Frame } from './frames.ts';

/** What happens on a WebSocket. */
export interface WebSocketEvents {
  /** A whole message, in parts as they came, none of which is empty. */
  readonly onMessage: (parts: readonly Buffer[]) => void;
  /** The server is there: it answered a ping, or sent anything else. */
  readonly onSign: () => void;
  /** What was sent has left the buffer. */
  readonly onDrain: () => void;
  /** The last event. `problem`: undefined when the server closed the WebSocket as the protocol has it. */
  readonly onEnd: (problem: string | undefined) => void;
}

/** Milliseconds that the server has to answer a close. */
const CLOSE_MILLISECONDS = 5_000;
/** The largest message in several frames. */
const LARGEST_MESSAGE = 8 * 1024 * 1024;
const NORMAL = Buffer.from([0x03, 0xe8]);

/** A WebSocket on a connection whose handshake is done, from the client's side. */
export class WebSocket {
  readonly #socket: Duplex;
  readonly #events: WebSocketEvents;
  readonly #reader = new FrameReader();
  #parts: Buffer[] = [];
  #isInParts = false;
  #isOpen = true;
  #hasEnded = false;
  #problem: string | undefined = 'the connection was cut';

  constructor(socket: Duplex, events: WebSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#events.onDrain());
    socket.on('error', (error: Error) => (this.#problem ??= messageOf(error)));
    // The other side may have closed without a close frame: nothing more is to be sent then.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#end());
  }

  /**
   * Sends a message of two parts. Returns whether more may be sent at once; if not, `onDrain` follows. `data` is changed, and
   * must not be used any more.
   */
  send(prefix: Buffer, data: Buffer): boolean {
    if (!this.#isOpen || this.#socket.destroyed) return true;
    // As one write: each one would be a TLS record.
    this.#socket.cork();
    this.#socket.write(encodeInPlace(prefix, data));
    const isDrained = this.#socket.write(data);
    this.#socket.uncork();
    return isDrained;
  }

  /** Asks the server for a sign. */
  ping(): void {
    this.#write(Opcodes.ping, Buffer.alloc(0));
  }

  /** Whether everything that was sent has left this process. */
  get isSent(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Reads no more until `resume`: the server has to wait. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Closes as the protocol has it; a server that does not answer within 5 s is left. */
  close(): void {
    if (!this.#isOpen) return;
    this.#write(Opcodes.close, NORMAL);
    this.#isOpen = false;
    this.#problem = undefined;
    this.#socket.resume();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MILLISECONDS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Drops the connection. */
  destroy(problem: string): void {
    this.#isOpen = false;
    this.#problem = problem;
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#isOpen && !this.#socket.destroyed) this.#socket.write(encodeFrame(opcode, payload));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#take(frame);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      this.destroy(thrown.message);
    }
  }

  #take({ opcode, isFinal, parts }: Frame): void {
    if (this.#socket.destroyed) return;
    this.#events.onSign();
    switch (opcode) {
      case Opcodes.ping:
        this.#write(Opcodes.pong, Buffer.concat(parts));
        return;
      case Opcodes.pong:
        return;
      case Opcodes.close:
        this.#closed(Buffer.concat(parts));
        return;
      case Opcodes.continuation:
      case Opcodes.text:
      case Opcodes.binary:
        this.#gather(opcode, isFinal, parts);
        return;
      default:
        throw new ProtocolError(`the server sent a frame of the unknown kind ${opcode}`);
    }
  }

  #gather(opcode: number, isFinal: boolean, parts: readonly Buffer[]): void {
    if ((opcode === Opcodes.continuation) !== this.#isInParts)
      throw new ProtocolError('the server sent the parts of a message in the wrong order');
    this.#isInParts = !isFinal;
    for (const part of parts) this.#parts.push(part);
    const size = this.#parts.reduce((sum, { length }) => sum + length, 0);
    if (size > LARGEST_MESSAGE) throw new ProtocolError(`the server sent a message of ${size} bytes`);
    if (!isFinal) return;
    const message = this.#parts;
    this.#parts = [];
    // What comes after this side closed has nobody to read it.
    if (this.#isOpen) this.#events.onMessage(message);
  }

  #closed(payload: Buffer): void {
    if (this.#isOpen) {
      this.#write(Opcodes.close, payload.subarray(0, 2));
      this.#isOpen = false;
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1000;
      const reason = payload.subarray(2).toString('utf8');
      this.#problem = code === 1000 ? undefined : `the server closed the WebSocket with ${code} ${reason}`.trimEnd();
    }
    this.#socket.end();
    this.#end();
    setTimeout(() => this.#socket.destroy(), CLOSE_MILLISECONDS).unref();
  }

  #end(): void {
    this.#isOpen = false;
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.onEnd(this.#problem);
  }
}
