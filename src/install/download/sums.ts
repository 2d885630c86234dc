import { readFile } from 'node:fs/promises';
import { inputError, messageOf } from '../../errors.ts';

/** A line of sha256sum: 64 digits, then a blank, a blank or an asterisk, and the file. */
const LINE = /^([0-9a-f]{64}) [ *](?:\.?\/)?(.+)$/i;

/** SHA-256 sums by the path that an asset has on github.com, and on a mirror of it. */
export type Sums = ReadonlyMap<string, string>;

/** Reads a file that sha256sum has written in the root of a mirror. Throws KNEST_INPUT with every line that is wrong. */
export async function readSums(file: string): Promise<Sums> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    throw inputError([`checksums-file: ${file} cannot be read: ${messageOf(thrown)}`]);
  });
  const sums = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, digits = '', path = ''] = LINE.exec(line) ?? [];
    const sum = digits.toLowerCase();
    const place = `checksums-file: line ${index + 1} of ${file}`;
    if (sum === '') problems.push(`${place} is not a line of sha256sum: 64 digits, two spaces, the path of the asset`);
    else if ((sums.get(path) ?? sum) !== sum)
      problems.push(`${place} has a different checksum for ${path} than an earlier line`);
    else sums.set(path, sum);
  }
  if (problems.length > 0) throw inputError(problems);
  return sums;
}
