import {
  infrastructureNamed,
  INFRASTRUCTURES,
  type Infrastructure,
  type InfrastructureProvider,
} from '../catalog/infrastructures.ts';
import { PROVIDER_NAMES } from '../catalog/components/providers.ts';
import { parseVersion } from '../values/version.ts';
import type { DownloadInputs } from './downloads.ts';
import type { InputReader } from './reading/reader.ts';
import { readWebFile, type WebFile } from './web-file.ts';

/** Where a template of the user's own is. */
export type TemplateSource =
  | { readonly kind: 'file'; readonly path: string }
  | WebFile
  | { readonly kind: 'config-map'; readonly namespace: string; readonly name: string };

/** What the cluster is made from. */
export interface TemplateInputs {
  /** `auto`: what the host serves. */
  readonly infrastructure: Infrastructure | InfrastructureProvider | 'auto';
  /** Undefined: the action's own for the infrastructure. */
  readonly clusterTemplate: TemplateSource | undefined;
}

/** The infrastructures with a template of the action's own, as a list for people. */
const OWN = ['auto', ...INFRASTRUCTURES].join(', ');

/** Reads what the cluster is made from. */
export function readTemplate(reader: InputReader, { checksumPolicy }: DownloadInputs): TemplateInputs {
  const text = reader.optional('cluster-template');
  const infrastructure = readInfrastructure(reader);
  if (text === undefined && typeof infrastructure === 'object') {
    const { name, version } = infrastructure;
    // The provider alone is for templates that put the VMs on another cluster.
    const own =
      name === 'kubevirt' ? '; without one, use kubevirt, and set its version with kubevirt-provider-version' : '';
    const problem = `is missing; infrastructure ${name}:${version} needs one, for example its own${own}`;
    reader.problem('cluster-template', problem);
  }
  const clusterTemplate = text === undefined ? undefined : readSource(reader, text, checksumPolicy);
  return { infrastructure, clusterTemplate };
}

function readInfrastructure(reader: InputReader): TemplateInputs['infrastructure'] {
  const text = reader.required('infrastructure', `${OWN} or NAME:vX.Y.Z, for example openstack:v0.14.5`);
  const own = infrastructureNamed(text);
  if (own !== undefined) return own;
  if (text === 'auto' || text === '') return 'auto';
  const [name = '', versionText] = text.split(/:(.*)/s);
  if (name === 'virtink') {
    reader.problem('infrastructure', `"${text}": use ${name}, and set its version with ${name}-provider-version`);
  } else if (!PROVIDER_NAMES.includes(name)) {
    reader.problem('infrastructure', `"${text}" is not supported; use ${OWN} or one of ${PROVIDER_NAMES.join(', ')}`);
  }
  const version = parseVersion(versionText ?? '');
  if (version === undefined) {
    reader.problem('infrastructure', `"${text}" has no version; for example ${name}:v1.0.0`);
  }
  return { name, version: `v${version?.text ?? '0.0.0'}` };
}

const CONFIG_MAP = /^configmap:(?<namespace>[a-z0-9][-a-z0-9]*)\/(?<name>[a-z0-9][-.a-z0-9]*)$/;

function readSource(
  reader: InputReader,
  text: string,
  checksumPolicy: DownloadInputs['checksumPolicy'],
): TemplateSource {
  if (text.startsWith('configmap:')) {
    const { namespace, name } = CONFIG_MAP.exec(text)?.groups ?? {};
    if (namespace !== undefined && name !== undefined) return { kind: 'config-map', namespace, name };
    reader.problem('cluster-template', `"${text}" is not configmap:NAMESPACE/NAME`);
  }
  if (text.includes('://')) return readWebFile(reader, 'cluster-template', text, checksumPolicy);
  return { kind: 'file', path: text };
}
