import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSums } from '../../../../src/install/download/sums.ts';
import { rejection } from '../../rejection.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function written(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sums-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'sums.txt');
  writeFileSync(file, text);
  return file;
}

describe('readSums', () => {
  it('reads the output of sha256sum', async () => {
    const text = [
      '# of 2026-11-01',
      `${A}  ./acme/tool/releases/download/v1/tool`,
      '',
      `${B.toUpperCase()} *acme/tool/raw/v1/deploy/a b.yaml`,
      `${A}  /acme/other`,
    ].join('\r\n');
    expect([...(await readSums(written(text)))]).toEqual([
      ['acme/tool/releases/download/v1/tool', A],
      ['acme/tool/raw/v1/deploy/a b.yaml', B],
      ['acme/other', A],
    ]);
  });

  it('reports every wrong line by its number', async () => {
    const file = written([`${A}  x`, 'x', `${A.slice(1)}  x`, `${A} `, `${B}  x`, `${A}  x`].join('\n'));
    const form = 'is not a line of sha256sum: 64 digits, two spaces, the path of the asset';
    const place = (line: number): string => `checksums-file: line ${line} of ${file}`;
    expect(await rejection(readSums(file))).toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [
        `${place(2)} ${form}`,
        `${place(3)} ${form}`,
        `${place(4)} ${form}`,
        `${place(5)} has a different checksum for x than an earlier line`,
      ],
    });
  });

  it('rejects when the file does not exist', async () => {
    expect(await rejection(readSums('/no/such/file'))).toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [expect.stringMatching(/^checksums-file: \/no\/such\/file cannot be read: ENOENT/)],
    });
  });
});
