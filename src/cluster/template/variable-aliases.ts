/**
 * What other templates call a variable of the action's own: the Virtink provider's put VIRTINK_ before most, Cluster
 * API's in-memory ones say POD_CIDR, the KubeVirt provider's NODE_VM_IMAGE_TEMPLATE. Sources: their templates
 * directories, v0.7.0, v1.14.2 and v0.11.2.
 */
export function aliasesOf(variable: string): readonly string[] {
  const role = /^(CONTROL_PLANE|WORKER)_MACHINE_ROOTFS_IMAGE$/.exec(variable)?.[1];
  return [
    `VIRTINK_${variable}`,
    ...(variable === 'POD_NETWORK_CIDR' ? ['POD_CIDR'] : []),
    ...(variable === 'NODE_IMAGE' ? ['NODE_VM_IMAGE_TEMPLATE'] : []),
    // The root file system of a persistent machine is another image.
    ...(role === undefined ? [] : [`VIRTINK_${role}_MACHINE_ROOTFS_CDI_IMAGE`]),
  ];
}

/** The image of a machine that is not persistent, when no other is asked for: no template may take it for the other. */
const PLAIN_ROOTFS_IMAGE = /^smartxworks\/capch-rootfs-\d/;

/** The variables, and the same under the names that other templates have for them. */
export function withAliases(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const aliases = Object.entries(variables).flatMap(([name, value]) =>
    aliasesOf(name)
      .filter((alias) => !(alias.endsWith('_CDI_IMAGE') && PLAIN_ROOTFS_IMAGE.test(value)))
      .map((alias) => [alias, value] as const),
  );
  return { ...variables, ...Object.fromEntries(aliases) };
}
