import type { KubernetesObject } from '../../host/api/objects.ts';

/** A machine template of a provider that makes VMs. */
interface MachineTemplate extends KubernetesObject {
  readonly spec: { readonly template: { readonly spec: object } };
}

/** The machine template with another template for its VMs. */
export function withVirtualMachineTemplate(
  { spec, ...rest }: MachineTemplate,
  virtualMachineTemplate: object,
): KubernetesObject & Pick<MachineTemplate, 'spec'> {
  const machine = { ...spec.template.spec, virtualMachineTemplate };
  return { ...rest, spec: { ...spec, template: { ...spec.template, spec: machine } } };
}

/** Volumes whose only disk of that kind has another image; undefined when there is none, or more than one. */
export function withDiskImage<Kind extends string, Volume extends Readonly<Partial<Record<Kind, object>>>>(
  volumes: readonly Volume[],
  kind: Kind,
  image: string,
): readonly Volume[] | undefined {
  const isDisk = (volume: Volume): boolean => volume[kind] !== undefined;
  if (volumes.filter(isDisk).length !== 1) return undefined;
  return volumes.map((volume) => (isDisk(volume) ? { ...volume, [kind]: { ...volume[kind], image } } : volume));
}
