import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { allAssets } from '../src/catalog/components/catalog-assets.ts';
import { assetKey, assetPath } from '../src/catalog/release-asset.ts';
import { defaultVersions } from './docs.ts';

const file = resolve(import.meta.dirname, '../src/install/download/checksums.json');

/** The SHA-256 of what a URL serves, in hexadecimal. Throws unless it answers 200. */
async function sha256(url: string): Promise<string> {
  const response = await fetch(url);
  if (response.status !== 200 || response.body === null) throw new Error(`${url}: ${response.status}`);
  const hash = createHash('sha256');
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

const { values } = parseArgs({ options: { mirror: { type: 'string', default: 'https://github.com' } } });
const mirror = values.mirror.replace(/\/+$/, '');
const sums: [string, string][] = [];
// One at a time: clusterctl alone is 70 MB for each platform.
for (const asset of allAssets(defaultVersions())) {
  const sum = await sha256(`${mirror}/${assetPath(asset)}`);
  console.log(`${sum}  ${assetKey(asset)}`);
  sums.push([assetKey(asset), sum]);
}
// Only now: a run that breaks leaves the file as it was.
sums.sort(([one], [other]) => (one < other ? -1 : 1));
writeFileSync(file, `${JSON.stringify(Object.fromEntries(sums), null, 2)}\n`);
