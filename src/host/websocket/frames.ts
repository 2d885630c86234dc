import { randomBytes } from 'node:crypto';

// The frames of RFC 6455, section 5, as a client sends and receives them.

/** What a frame is, by its number on the wire. */
export const Opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame of a WebSocket. */
export interface Frame {
  readonly opcode: number;
  /** Whether it is the last one of its message. */
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

/** A peer that does not follow the protocol: nothing after it can be trusted. */
export class ProtocolError extends Error {}

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
/** The highest length in the second byte of a frame; the two numbers above it announce a longer field. */
const SHORT_LENGTH = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** The largest frame that is accepted: container runtimes send 32 KiB in each. */
const LARGEST_PAYLOAD = 4 * 1024 * 1024;

/** A whole message as one frame, masked, as a client has to send it. */
export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const lengthBytes = length <= SHORT_LENGTH ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + lengthBytes + 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL | opcode;
  if (lengthBytes === 0) frame[1] = MASKED | length;
  else if (lengthBytes === 2) {
    frame[1] = MASKED | LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  const mask = randomBytes(4);
  mask.copy(frame, start - 4);
  const [one = 0, two = 0, three = 0, four = 0] = mask;
  const key = [one, two, three, four] as const;
  for (let index = 0; index < length; index++) frame[start + index] = (payload[index] ?? 0) ^ (key[index & 3] ?? 0);
  return frame;
}

/** The part of a frame before its payload. */
interface Header {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly length: number;
  /** Bytes of the header itself. */
  readonly size: number;
}

/** Takes the bytes of a connection as they come, and returns the frames that are complete. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #available = 0;

  /** The frames that end in this chunk. Throws ProtocolError. */
  push(chunk: Buffer): readonly Frame[] {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const header = this.#header();
    if (header === undefined || this.#available < header.size + header.length) return undefined;
    this.#take(header.size);
    const { opcode, isFinal } = header;
    return { opcode, isFinal, payload: this.#take(header.length) };
  }

  #header(): Header | undefined {
    if (this.#available < 2) return undefined;
    const bytes = this.#peek(10);
    const [first = 0, second = 0] = bytes;
    if ((first & RESERVED) !== 0) throw new ProtocolError('the server sent a frame with reserved bits');
    if ((second & MASKED) !== 0) throw new ProtocolError('the server sent a masked frame');
    const size = second === LENGTH_64 ? 10 : second === LENGTH_16 ? 4 : 2;
    if (bytes.length < size) return undefined;
    const length = size === 10 ? Number(bytes.readBigUInt64BE(2)) : size === 4 ? bytes.readUInt16BE(2) : second;
    const opcode = first & 0x0f;
    const isFinal = (first & FINAL) !== 0;
    if (opcode >= Opcodes.close && (!isFinal || length > SHORT_LENGTH))
      throw new ProtocolError('the server sent a control frame that is too long or in parts');
    if (length > LARGEST_PAYLOAD) throw new ProtocolError(`the server sent a frame of ${length} bytes`);
    return { opcode, isFinal, length, size };
  }

  /** At most so many of the next bytes, which stay. */
  #peek(most: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    return first.length >= most ? first.subarray(0, most) : Buffer.concat(this.#chunks).subarray(0, most);
  }

  /** The next bytes; there are that many. */
  #take(length: number): Buffer {
    this.#available -= length;
    const [first] = this.#chunks;
    if (first !== undefined && first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      parts.push(chunk.subarray(0, missing));
      if (chunk.length > missing) this.#chunks.unshift(chunk.subarray(missing));
      missing -= chunk.length;
    }
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  }
}
