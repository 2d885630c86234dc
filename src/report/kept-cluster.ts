/** A cluster that stays, although its job failed. */
export interface KeptCluster {
  readonly name: string;
  readonly namespace: string;
  /** RFC 3339; undefined when it never expires. */
  readonly expiresAt?: string | undefined;
}

/** That a cluster stays, how long, and the commands that look at it, reach it and delete it, for the host's kubeconfig. */
export function keptLines({ name, namespace, expiresAt }: KeptCluster): readonly string[] {
  const until = expiresAt === undefined ? '' : `, until ${expiresAt} at the latest`;
  const kubeconfig = `kubectl get secret -n ${namespace} ${name}-kubeconfig -o jsonpath='{.data.value}'`;
  return [
    `Kept: Cluster ${namespace}/${name} is still there${until}.`,
    `Look at it: kubectl describe cluster -n ${namespace} ${name}`,
    `Reach it: ${kubeconfig} | base64 -d > ${name}.kubeconfig`,
    `Delete it: kubectl delete cluster -n ${namespace} ${name}`,
  ];
}
