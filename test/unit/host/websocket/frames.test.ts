import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  encodeInPlace,
  FrameReader,
  Opcodes,
  ProtocolError,
} from '../../../../src/host/websocket/frames.ts';

/** A frame as a server sends it: without a mask. */
function fromServer(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length <= 125) return Buffer.concat([Buffer.from([first, length]), payload]);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

describe('frames from a server', () => {
  it('are read whatever their lengths are, and however the bytes arrive', () => {
    const lengths = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 65_535, 65_536, 70_000));
    const frames = fc.array(fc.record({ length: lengths, isFinal: fc.boolean() }), { maxLength: 5 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (given, cuts) => {
        const payloads = given.map(({ length }, index) => Buffer.alloc(length, index + 1));
        const bytes = Buffer.concat(
          payloads.map((payload, index) => fromServer((given[index]?.isFinal ? 0x80 : 0) | Opcodes.binary, payload)),
        );
        const reader = new FrameReader();
        const read = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const end = at + (cuts[cut % cuts.length] ?? 1);
          read.push(...reader.push(bytes.subarray(at, end)));
          at = end;
        }
        const wholes = read.map(({ opcode, isFinal, parts }) => ({ opcode, isFinal, payload: Buffer.concat(parts) }));
        expect(wholes.map(({ opcode, isFinal, payload }) => [opcode, isFinal, payload.length, payload[0]])).toEqual(
          payloads.map((payload, index) => [Opcodes.binary, given[index]?.isFinal, payload.length, payload[0]]),
        );
      }),
      // Reading takes as long as there are bytes, not as their square.
      { numRuns: 50, examples: [[Array(5).fill({ length: 70_000, isFinal: true }), [1]]] },
    );
  });

  it.each([
    ['reserved bits', Buffer.from([0xc2, 0])],
    ['a mask', Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5])],
    ['a control frame in parts', Buffer.from([0x09, 0])],
    ['a long control frame', Buffer.from([0x89, 126, 0, 200])],
    ['a payload that no memory should be kept for', Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])],
  ])('are refused with %s', (_what, bytes) => {
    expect(() => new FrameReader().push(bytes)).toThrow(ProtocolError);
  });
});

describe('a frame from the client', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])(
    'of %d bytes has its length and a mask, which another frame does not have',
    (length) => {
      const payload = Buffer.alloc(length, 7);
      const [one, two] = [encodeFrame(Opcodes.binary, payload), encodeFrame(Opcodes.binary, payload)];
      const start = one.length - length;
      expect(one[0]).toBe(0x82);
      expect(one.length).toBe(length + (length <= 125 ? 6 : length < 65_536 ? 8 : 14));
      expect((one[1] ?? 0) & 0x80).toBe(0x80);
      const mask = one.subarray(start - 4, start);
      expect(mask).not.toEqual(two.subarray(start - 4, start));
      const unmasked = one.subarray(start).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      expect(Buffer.compare(Buffer.from(unmasked), payload)).toBe(0);
    },
  );

  it('is the same when its data is masked where it is, wherever that is in memory', () => {
    const lengths = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(lengths, lengths, fc.integer({ min: 0, max: 7 }), (before, length, offset) => {
        const prefix = Buffer.alloc(before, 1);
        const data = Buffer.alloc(offset + length).subarray(offset);
        data.forEach((_, index) => (data[index] = index));
        const payload = Buffer.concat([prefix, data]);
        const start = encodeInPlace(prefix, data);
        const frame = Buffer.concat([start, data]);
        const key = frame.subarray(frame.length - payload.length - 4, frame.length - payload.length);
        const unmasked = frame.subarray(frame.length - payload.length).map((byte, at) => byte ^ (key[at % 4] ?? 0));
        expect([frame[0], (frame[1] ?? 0) & 0x7f]).toEqual([0x82, payload.length <= 125 ? payload.length : 126]);
        expect(Buffer.compare(Buffer.from(unmasked), payload)).toBe(0);
      }),
    );
  });
});
