import { compareMinor, parseVersion, type Version } from '../values/version.ts';
import { INFRASTRUCTURES, type Infrastructure, type InfrastructureProvider } from './infrastructures.ts';

/** A public image that machines of KubeVirt are made of. */
export interface NodeImage {
  /** The Kubernetes version in it, without a leading `v`. */
  readonly version: string;
  readonly image: string;
  /** Where it is known from. */
  readonly source: string;
}

const CAPK = 'quay.io/capk';
const CAPK_SOURCE = 'published by the project of the KubeVirt provider';
const SHALB = 'docker.io/shalb/ubuntu-2404-container-disk';
const SHALB_SOURCE = 'published by SHALB, the vendor of cluster.dev';

function nodeImage(version: string, repository: string, source: string): NodeImage {
  return { version, image: `${repository}:v${version}`, source };
}

/** The public images for KubeVirt, the oldest version first. No registry was asked: each is named in public files. */
export const KUBEVIRT_NODE_IMAGES: readonly NodeImage[] = [
  nodeImage('1.29.5', `${CAPK}/ubuntu-2204-container-disk`, CAPK_SOURCE),
  nodeImage('1.30.1', `${CAPK}/ubuntu-2204-container-disk`, CAPK_SOURCE),
  nodeImage('1.31.5', `${CAPK}/ubuntu-2404-container-disk`, CAPK_SOURCE),
  nodeImage('1.32.1', `${CAPK}/ubuntu-2404-container-disk`, CAPK_SOURCE),
  nodeImage('1.33.5', `${CAPK}/ubuntu-2404-container-disk`, CAPK_SOURCE),
  nodeImage('1.34.1', `${CAPK}/ubuntu-2404-container-disk`, CAPK_SOURCE),
  nodeImage('1.35.2', SHALB, SHALB_SOURCE),
  nodeImage('1.36.1', SHALB, SHALB_SOURCE),
];

/** The public images for Virtink; they have one version of Kubernetes. */
export const VIRTINK_IMAGES = {
  version: '1.24.0',
  kernel: 'smartxworks/capch-kernel-5.15.12',
  /** The root file system for a version, by its project's convention; another one for persistent machines. */
  rootfs: (version: string, persistent: boolean) => `smartxworks/capch-rootfs-${persistent ? 'cdi-' : ''}${version}`,
} as const;

/** What clusters have whose inputs name no version, by infrastructure: it only changes with a release of the action. */
const DEFAULT_VERSIONS: Readonly<Partial<Record<Infrastructure, string>>> = { virtink: VIRTINK_IMAGES.version };
const DEFAULT_VERSION = '1.34.1';

/** The version of Kubernetes that a user asks for. */
export type AskedVersion =
  | { readonly kind: 'default' }
  /** The newest that is known. */
  | { readonly kind: 'latest' }
  /** The newest known patch of a minor version. */
  | { readonly kind: 'minor'; readonly major: number; readonly minor: number }
  | { readonly kind: 'exact'; readonly version: Version };

/** The versions that are known for an infrastructure, the oldest first; undefined where images decide nothing. */
export function knownVersions(infrastructure: Infrastructure | InfrastructureProvider): readonly string[] | undefined {
  switch (infrastructure) {
    case 'kubevirt':
      return KUBEVIRT_NODE_IMAGES.map(({ version }) => version);
    case 'virtink':
      return [VIRTINK_IMAGES.version];
    default:
      return undefined;
  }
}

/**
 * Whether a public image is known for what a user asks for, so that this infrastructure suits better than one without.
 * For `latest`, only the infrastructure with the newest of all versions.
 */
export function hasKnownImage(infrastructure: Infrastructure, asked: AskedVersion): boolean {
  const version = versionOn(infrastructure, asked);
  if (version === undefined) return false;
  if (asked.kind === 'latest') {
    const newest = INFRASTRUCTURES.flatMap((name) => knownVersions(name) ?? []).flatMap(
      (text) => parseVersion(text) ?? [],
    );
    return newest.every((other) => compareMinor(other, version) <= 0);
  }
  return knownVersions(infrastructure)?.includes(version.text) ?? true;
}

/** The version of a cluster on an infrastructure whose inputs name none, without a leading `v`. */
export function defaultVersionOn(infrastructure: Infrastructure | InfrastructureProvider): string {
  const own = typeof infrastructure === 'object' ? undefined : DEFAULT_VERSIONS[infrastructure];
  return own ?? DEFAULT_VERSION;
}

/** The version that is meant on an infrastructure; undefined when none is known that fits. */
export function versionOn(
  infrastructure: Infrastructure | InfrastructureProvider,
  asked: AskedVersion,
): Version | undefined {
  const preset = defaultVersionOn(infrastructure);
  const known = (knownVersions(infrastructure) ?? [preset]).flatMap((text) => parseVersion(text) ?? []);
  switch (asked.kind) {
    case 'exact':
      return asked.version;
    case 'default':
      return parseVersion(preset);
    case 'latest':
      return known.at(-1);
    case 'minor':
      return known.findLast((version) => compareMinor(version, asked) === 0);
  }
}
