import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';
import { catalogAssets, type CatalogAsset, type Need } from '../src/catalog/components/catalog-assets.ts';
import { assetPath } from '../src/catalog/release-asset.ts';
import { INFRASTRUCTURES } from '../src/catalog/infrastructures.ts';
import { defaultVersionOn, KUBEVIRT_NODE_IMAGES, VIRTINK_IMAGES } from '../src/catalog/node-images.ts';
import type { ComponentVersions } from '../src/catalog/versions.ts';
import { InputReader, NOT_GIVEN } from '../src/inputs/reading/reader.ts';
import { readVersions } from '../src/inputs/versions.ts';
import { benchmarksPage } from './bench-page.ts';
import { readResults } from './bench-results.ts';
import { table } from './markdown-table.ts';
import { rbacManifests } from './rbac.ts';

const root = resolve(import.meta.dirname, '..');

/** What action.yml says of one input or output. */
export interface Documented {
  readonly description: string;
  readonly default?: string;
}

/** The part of action.yml that people write against. */
export interface ActionFile {
  readonly runs: { readonly using: string };
  readonly inputs: Readonly<Record<string, Documented>>;
  readonly outputs: Readonly<Record<string, Documented>>;
}

/** Reads action.yml. */
export function readAction(): ActionFile {
  return parse(readFileSync(resolve(root, 'action.yml'), 'utf8')) as ActionFile;
}

/** The versions that the action installs by default. Throws KNEST_INPUT when action.yml has one that it refuses. */
export function defaultVersions(): ComponentVersions {
  const { inputs } = readAction();
  const reader = new InputReader((name) => inputs[name]?.default);
  const versions = readVersions(reader, 'auto');
  reader.finish();
  return versions;
}

/** Inputs that the runner fills in: no workflow sets them. */
export const INTERNAL_INPUTS: readonly string[] = ['job-index', 'job-status'];

/** The text of docs/inputs.md: every input and output, those inputs last that no workflow sets. */
export function inputsPage({ inputs, outputs }: Pick<ActionFile, 'inputs' | 'outputs'>): string {
  const rows = Object.entries(inputs).map(([name, { description, default: preset = '' }]) => ({
    isInternal: INTERNAL_INPUTS.includes(name),
    cells: [`\`${name}\``, description, describeDefault(preset)],
  }));
  const inputTable = (isInternal: boolean): string => {
    const wanted = rows.filter((row) => row.isInternal === isInternal);
    return table(
      ['Input', 'What it is', 'Default'],
      wanted.map(({ cells }) => cells),
    );
  };
  const outputRows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, description]);
  return [
    '# Inputs and outputs',
    '<!-- Generated from action.yml by npm run docs: change the descriptions there. -->',
    'Every input and output of [action.yml](../action.yml). Where the default is blank, the description explains what a blank value means.',
    '## Inputs',
    inputTable(false),
    '## Internal inputs',
    'The runner fills in these inputs. Do not set them.',
    inputTable(true),
    '## Outputs',
    table(['Output', 'What it is'], outputRows),
    '',
  ].join('\n\n');
}

/** The cell of a default; of one that only says that nothing is given, in words. */
function describeDefault(preset: string): string {
  if (preset === NOT_GIVEN) return 'not given';
  return preset === '' ? '' : `\`${preset}\``;
}

/** The text of docs/kubernetes-versions.md: the versions that public images exist for. */
export function versionsPage(): string {
  const kubevirt = KUBEVIRT_NODE_IMAGES.map(({ version, image, source }) => [version, `\`${image}\``, source]);
  const { version, kernel, rootfs } = VIRTINK_IMAGES;
  return [
    '# Kubernetes versions and node images',
    '<!-- Generated from src/catalog/node-images.ts by npm run docs. -->',
    'A machine runs the Kubernetes version that is in its image. `kubernetes-version` takes `1.34` (the newest patch in this table), `1.34.1` or `latest`. These are the public images that the action knows of:',
    '## KubeVirt',
    table(['Kubernetes', 'Image', 'Known from'], kubevirt),
    `Without \`kubernetes-version\` it is ${defaultVersionOn('kubevirt')}. For any other version, set \`node-image\` to a containerDisk of your own and \`kubernetes-version\` to the full version in it. A containerDisk is a container image with one disk image in \`/disk\`, which has kubelet, kubeadm, containerd and cloud-init. [images/](../images/README.md) makes one with a single command.`,
    '## Virtink',
    table(
      ['Kubernetes', 'Root file system', 'Kernel'],
      [[version, `\`${rootfs(version, false)}\`, with \`persistent\` \`${rootfs(version, true)}\``, `\`${kernel}\``]],
    ),
    'For any other version, the action takes the root file system of that name, for example `smartxworks/capch-rootfs-1.30.0`. No public one is known: set `control-plane-machine-rootfs-image` and `worker-machine-rootfs-image` to images of your own. [images/](../images/README.md) makes one with a single command; it has not run on a host with Virtink yet.',
    '## Others',
    'In-memory machines pretend to run any version. With a template for another provider, the template decides what the version means.',
    '',
  ].join('\n\n');
}

const AIR_GAP = 'docs/recipes/air-gap.md';
/** What stands around the table in the page, which is written by hand apart from it. */
const MARKS = ['<!-- Generated from src/catalog by npm run docs. -->', '<!-- End of the generated table. -->'] as const;

/** A page with the table of the files that a mirror holds between its two marks. Throws when a mark is missing. */
export function withMirrorTable(page: string, assets: readonly CatalogAsset[]): string {
  const [start, end] = MARKS.map((mark) => page.indexOf(mark));
  if (start === undefined || end === undefined || start < 0 || end < start) {
    throw new Error(`${AIR_GAP} has no place for the table of files: put it between ${MARKS.join(' and ')}`);
  }
  const rows = assets.map(({ asset, title, need }) => [`\`${assetPath(asset)}\``, title, describeNeed(need)]);
  const files = table(['File', 'Part of', 'Needed for'], rows);
  return `${page.slice(0, start)}${MARKS[0]}\n\n${files}\n\n${page.slice(end)}`;
}

function describeNeed(need: Need): string {
  switch (need.kind) {
    case 'runner':
      return `${need.platform === 'linux' ? 'Linux' : 'macOS'} runners, ${need.arch}`;
    case 'component': {
      const infrastructures = need.infrastructures.map((name) => `\`infrastructure: ${name}\``);
      if (need.persistent) return '`persistent: true`';
      return infrastructures.length === INFRASTRUCTURES.length ? 'every cluster' : infrastructures.join(', ');
    }
    case 'cni':
      return `\`cni: ${need.cni}\``;
    case 'addon':
      return `\`addons: ${need.addon}\``;
    case 'template':
      return 'its address in `cluster-template`';
  }
}

/** Every generated document, with what it should hold. */
async function fresh(): Promise<ReadonlyMap<string, string>> {
  const documents = [
    ['docs/inputs.md', inputsPage(readAction())],
    ['docs/kubernetes-versions.md', versionsPage()],
    ['docs/benchmarks.md', benchmarksPage(readResults())],
    [AIR_GAP, withMirrorTable(readFileSync(resolve(root, AIR_GAP), 'utf8'), catalogAssets(defaultVersions()))],
    ...Object.entries(rbacManifests()).map(([name, text]) => [`docs/rbac/${name}`, text] as const),
  ] as const;
  const formatted = documents.map(async ([name, text]) => {
    const filepath = resolve(root, name);
    return [name, await format(text, { ...(await resolveConfig(filepath)), filepath })] as const;
  });
  return new Map(await Promise.all(formatted));
}

/** The names of the documents that are not what they are made from. */
export async function staleDocuments(): Promise<readonly string[]> {
  const isStale = ([name, text]: readonly [string, string]): boolean => {
    const path = resolve(root, name);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  };
  return [...(await fresh())].filter(isStale).map(([name]) => name);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!values.check) {
    for (const [name, text] of await fresh()) {
      mkdirSync(dirname(resolve(root, name)), { recursive: true });
      writeFileSync(resolve(root, name), text);
    }
  } else {
    const stale = await staleDocuments();
    if (stale.length > 0) {
      console.error(`${stale.join(', ')}: not what action.yml and src give; run npm run docs`);
      process.exitCode = 1;
    }
  }
}
