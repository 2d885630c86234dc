import { expect, it } from 'vitest';
import { masterBootRecord } from '../../../images/disk.ts';

it('the first sector of a disk has the boot code and one bootable partition, from 1 MiB to the end', () => {
  const sector = masterBootRecord(Buffer.alloc(512, 0xcc), 8 * 1024 ** 3);
  expect(sector).toHaveLength(512);
  expect(sector.subarray(0, 440).every((byte) => byte === 0xcc)).toBe(true);
  expect(sector.subarray(440, 446)).toEqual(Buffer.alloc(6));
  const [status, type] = [sector[446], sector[450]];
  expect({ status, type, start: sector.readUInt32LE(454), sectors: sector.readUInt32LE(458) }).toEqual({
    ...{ status: 0x80, type: 0x83 },
    ...{ start: 2048, sectors: 8 * 1024 ** 2 * 2 - 2048 },
  });
  expect(sector.subarray(462, 510)).toEqual(Buffer.alloc(48));
  expect(sector.subarray(510)).toEqual(Buffer.from([0x55, 0xaa]));
});
