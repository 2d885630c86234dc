import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KUBEVIRT_NODE_IMAGES, VIRTINK_IMAGES } from '../../../src/catalog/node-images.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

it('docs/engines.md has a test for every cell, and each exists', () => {
  const cells = [...read('docs/engines.md').matchAll(/\| `(test\/[^`]+)`: (.+?) +(?=\|)/g)];
  expect(cells.length).toBeGreaterThan(18);
  for (const [cell, file = '', title = ''] of cells) {
    expect(existsSync(new URL(file, root)), cell).toBe(true);
    expect(read(file).includes(`'${title}'`), cell).toBe(true);
  }
});

describe('node images in the documents', () => {
  const known = new Set([
    ...KUBEVIRT_NODE_IMAGES.map(({ image }) => image),
    VIRTINK_IMAGES.kernel,
    ...[false, true].map((persistent) => VIRTINK_IMAGES.rootfs(VIRTINK_IMAGES.version, persistent)),
  ]);
  /** Images of the projects that publish some, with a version; a text may also show how their names are made. */
  const IMAGE = /(?:quay\.io\/capk|docker\.io\/shalb)\/[\w-]+:v[\d.]*\d|smartxworks\/capch-[a-z-]+-[\d.]*\d/g;

  it.each(['README.md', 'action.yml', ...globSync('docs/**/*.md', { cwd: root.pathname })])('%s', (path) => {
    const shown = [...read(path).matchAll(IMAGE)].map(([image]) => image);
    const examples = ['smartxworks/capch-rootfs-1.30.0'];
    expect(shown.filter((image) => !known.has(image) && !examples.includes(image))).toEqual([]);
  });
});
