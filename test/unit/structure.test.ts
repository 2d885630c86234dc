import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../../src');

/** Files and folders of src/, from top to bottom: each imports only from itself and from entries below it. */
const ORDER = [
  ...[
    'index.ts',
    'post.ts',
    'tunnel.ts',
    'commands',
    'commands/pool',
    'commands/create',
    'commands/steps',
    'permissions',
    'runtime.ts',
  ],
  ...[
    'pool',
    'expiry',
    'upgrade',
    'lifecycle',
    'diagnostics',
    'access',
    'registry',
    'tunnel',
    'addons',
    'template',
    'machines',
    'status',
    'engines',
    'identity',
  ].map((folder) => `cluster/${folder}`),
  ...[
    'install',
    'install/download',
    'post-state.ts',
    'inputs.ts',
    'inputs/commands',
    'inputs',
    'inputs/reading',
    'github',
    'web.ts',
    'report',
    'host',
    'host/api',
    'host/websocket',
    'host/credentials',
    'host/kubeconfig',
  ],
  ...['runner', 'retry.ts', 'catalog/components', 'catalog', 'values', 'errors.ts'],
];
/** The highest number of files in a folder. */
const MOST_FILES = 18;

/** The imports of each file of src/, as paths below it. */
const imports = new Map(
  globSync('**/*.ts', { cwd: src }).map((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const targets = [...text.matchAll(/ from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
      ([, one, other]) => one ?? other,
    );
    return [file, targets.map((target = '') => relative(src, resolve(src, dirname(file), target)))];
  }),
);

function placeOf(file: string): number {
  return ORDER.findIndex((place) => file === place || dirname(file) === place);
}

/** The shortest import cycle with a file, or undefined. */
function circleOf(file: string): readonly string[] | undefined {
  const ways = [[file]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of imports.get(way.at(-1) ?? '') ?? []) {
      if (next === file) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}

describe('src/', () => {
  it('has a place in the order for every file', () => {
    expect([...imports.keys()].filter((file) => placeOf(file) < 0)).toEqual([]);
    expect(imports.size).toBeGreaterThan(100);
  });

  it('has no import cycle', () => {
    expect([...imports.keys()].map(circleOf).filter((circle) => circle !== undefined)).toEqual([]);
  });

  it('imports only from top to bottom', () => {
    const upward = [...imports].flatMap(([file, targets]) =>
      targets.filter((target) => placeOf(target) < placeOf(file)).map((target) => `${file} imports ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('has no folder with too many files', () => {
    const folders = Map.groupBy(imports.keys(), dirname);
    const large = [...folders].filter(([, files]) => files.length > MOST_FILES).map(([folder]) => folder);
    expect(large).toEqual([]);
  });
});
