import { randomBytes } from 'node:crypto';

// The frames of RFC 6455, section 5, as a client sends and receives them.

/** What a frame is, by its number on the wire. */
export const Opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame of a WebSocket. */
export interface Frame {
  readonly opcode: number;
  /** Whether it is the last one of its message. */
  readonly isFinal: boolean;
  /** Its payload, in the parts in which it came: a copy of each large one would cost as much as its decryption. */
  readonly parts: readonly Buffer[];
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
/** Bytes of the key that a payload is masked with. */
const KEY_BYTES = 4;
/** The largest frame that is accepted: container runtimes send 32 KiB in each. */
const LARGEST_PAYLOAD = 4 * 1024 * 1024;

/** The beginning of a frame that holds a whole message, up to its payload, which has to be masked with `key`. */
interface FrameStart {
  readonly header: Buffer;
  readonly key: Buffer;
}

/** A whole message as one frame, masked, as a client has to send it. */
export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { header, key } = startFrame(opcode, payload.length);
  const frame = Buffer.concat([header, payload]);
  mask(frame.subarray(header.length), key, 0);
  return frame;
}

/**
 * A whole binary message of two parts as one frame, masked: what has to be sent before `data`, and `data` itself, which is
 * masked where it is. Data comes in large parts, and a copy of each would cost as much as its encryption.
 */
export function encodeInPlace(prefix: Buffer, data: Buffer): Buffer {
  const { header, key } = startFrame(Opcodes.binary, prefix.length + data.length);
  const start = Buffer.concat([header, prefix]);
  mask(start.subarray(header.length), key, 0);
  mask(data, key, prefix.length);
  return start;
}

function startFrame(opcode: number, length: number): FrameStart {
  const lengthBytes = length <= SHORT_LENGTH ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.allocUnsafe(2 + lengthBytes + KEY_BYTES);
  header[0] = FINAL | opcode;
  if (lengthBytes === 0) header[1] = MASKED | length;
  else if (lengthBytes === 2) {
    header[1] = MASKED | LENGTH_16;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = MASKED | LENGTH_64;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  const key = randomBytes(KEY_BYTES);
  key.copy(header, header.length - KEY_BYTES);
  return { header, key };
}

/** Masks bytes where they are, four at a time where they are aligned. `at`: their place in the payload of their frame. */
function mask(bytes: Buffer, key: Buffer, at: number): void {
  let index = 0;
  const maskUntil = (end: number): void => {
    for (; index < end; index++) bytes[index] = (bytes[index] ?? 0) ^ (key[(at + index) % KEY_BYTES] ?? 0);
  };
  const start = (KEY_BYTES - (bytes.byteOffset % KEY_BYTES)) % KEY_BYTES;
  const count = Math.floor((bytes.length - start) / KEY_BYTES);
  if (count > 0) {
    maskUntil(start);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + start, count);
    const turned = Uint8Array.from(key, (_, place) => key[(at + start + place) % KEY_BYTES] ?? 0);
    const [word = 0] = new Uint32Array(turned.buffer);
    for (let place = 0; place < count; place++) words[place] = (words[place] ?? 0) ^ word;
    index += count * KEY_BYTES;
  }
  maskUntil(bytes.length);
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
    if (chunk.length > 0) this.#chunks.push(chunk);
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
    return { opcode, isFinal, parts: this.#take(header.length) };
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
    if (first.length >= most) return first.subarray(0, most);
    // No chunk is empty, so that these are enough, however many there are.
    return Buffer.concat(this.#chunks.slice(0, most)).subarray(0, most);
  }

  /** The next bytes, none of them in an empty part; there are that many. */
  #take(length: number): readonly Buffer[] {
    this.#available -= length;
    let [count, missing] = [0, length];
    for (; missing > 0 && count < this.#chunks.length; count++) missing -= this.#chunks[count]?.length ?? 0;
    const parts = this.#chunks.splice(0, count);
    const last = parts.at(-1);
    if (last === undefined || missing === 0) return parts;
    const end = last.length + missing;
    this.#chunks.unshift(last.subarray(end));
    return [...parts.slice(0, -1), last.subarray(0, end)];
  }
}
