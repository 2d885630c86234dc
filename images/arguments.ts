import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MINORS } from './lock.ts';

/** The engines that a node image can be made for. */
export const ENGINES = ['kubevirt', 'virtink'] as const;
export type Engine = (typeof ENGINES)[number];

/** What the command is asked to do. */
export type Request =
  | { readonly kind: 'help' }
  /** Record the sums of one version, or of the newest patch of each minor version. */
  | { readonly kind: 'record'; readonly version: string | undefined }
  /** List the versions whose sums are all recorded, as JSON. */
  | { readonly kind: 'list' }
  | {
      readonly kind: 'build';
      readonly version: string;
      readonly engine: Engine;
      readonly output: string;
      /** URL of the sources, for the labels of the image. */
      readonly source: string | undefined;
      /** Bytes of the disk of a machine of KubeVirt. */
      readonly diskSize: number;
    };

export const HELP = `Makes an image for the machines of a nested cluster.

  npm run image -- --kubernetes v1.34.1 --engine kubevirt --output DIRECTORY [--disk-size 20]
  npm run image -- --record [--kubernetes v1.34.1]
  npm run image -- --list

  --kubernetes  full version, with a leading v
  --engine      ${ENGINES.join(' or ')}
  --output      directory for the OCI archive
  --disk-size   size of the disk in GiB, for KubeVirt
  --source      URL of the repository, for the label that registries show
  --record      writes the sums of the downloads to images/lock.json, by default of the newest patch of each minor version
  --list        lists the versions whose sums are recorded, as JSON
`;

const GIB = 1024 ** 3;

/** Reads the arguments of the command. Throws an error that names all that cannot be used. */
export function readArguments(args: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubernetes: { type: 'string' },
      engine: { type: 'string' },
      output: { type: 'string' },
      'disk-size': { type: 'string', default: '20' },
      source: { type: 'string' },
      record: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  const { kubernetes: version, output } = values;
  const engine = ENGINES.find((name) => name === values.engine);
  const diskSize = Number(values['disk-size']);
  const versionProblem = version === undefined ? undefined : problemOfVersion(version);
  if (values.record) {
    if (versionProblem !== undefined) throw new Error(versionProblem);
    return { kind: 'record', version };
  }
  const problems = [
    version === undefined ? '--kubernetes is missing' : versionProblem,
    engine === undefined ? `--engine must be ${ENGINES.join(' or ')}` : undefined,
    output === undefined ? '--output is missing' : undefined,
    Number.isInteger(diskSize) && diskSize >= 4 ? undefined : '--disk-size must be a number of GiB, at least 4',
  ].filter((problem) => problem !== undefined);
  if (version === undefined || engine === undefined || output === undefined || problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
  return { kind: 'build', version, engine, output: resolve(output), source: values.source, diskSize: diskSize * GIB };
}

function problemOfVersion(version: string): string | undefined {
  const minor = /^v(\d+\.\d+)\.\d+$/.exec(version)?.[1];
  if (minor === undefined) return `--kubernetes must be a full version such as v1.34.1, not ${version}`;
  const isKnown = MINORS.some((known) => known === minor);
  return isKnown
    ? undefined
    : `node images are made of Kubernetes ${MINORS[0]} to ${MINORS.at(-1) ?? ''}, not ${version}`;
}
