import { parse, stringify } from 'yaml';
import { HELPER_IMAGE } from '../../catalog/addon-releases.ts';
import type { ConfigMap, KubernetesObject } from '../../host/api/objects.ts';
import { CONTROL_PLANE_TAINT, type Toleration } from './pod-maker.ts';
import { withChanged } from './manifest-patches.ts';

/** What makes a StorageClass the default. Source: k8s.io/kubernetes pkg/volume/util/storageclass.go. */
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** local-path-provisioner's manifest with its StorageClass as the default. Throws when it has no such class. */
export function withDefaultClass(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return withChanged(objects, 'StorageClass', 'local-path', ({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [DEFAULT_CLASS]: 'true' } },
  }));
}

/** A Pod as far as it is changed. */
interface HelperPod extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

/** local-path-provisioner's manifest with the image of its helper pod pinned. Throws when it has no such pod. */
export function withHelperImage(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return withChanged<ConfigMap>(objects, 'ConfigMap', 'local-path-config', (configMap) => {
    const pod = parse(configMap.data?.['helperPod.yaml'] ?? '') as HelperPod;
    const containers = pod.spec.containers.map((container) => ({ ...container, image: HELPER_IMAGE }));
    const text = stringify({ ...pod, spec: { ...pod.spec, containers } });
    return { ...configMap, data: { ...configMap.data, 'helperPod.yaml': text } };
  });
}

/** A Deployment as far as it is changed. */
interface PodMaker extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly tolerations?: readonly Toleration[];
        readonly containers: readonly { readonly name: string; readonly args?: readonly string[] }[];
      };
    };
  };
}

/**
 * metrics-server's manifest for kubelets whose certificates are self-signed, as kubeadm leaves them. Throws when it has no
 * such Deployment.
 */
export function withInsecureKubelets(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return withPods(objects, 'metrics-server', (pods) => ({
    ...pods,
    containers: pods.containers.map((container) =>
      container.name === 'metrics-server'
        ? { ...container, args: [...(container.args ?? []), '--kubelet-insecure-tls'] }
        : container,
    ),
  }));
}

/** Has the pods of a Deployment run on control planes too. Throws when there is no such Deployment. */
export function withToleration(objects: readonly KubernetesObject[], deployment: string): readonly KubernetesObject[] {
  const toleration = {
    key: CONTROL_PLANE_TAINT,
    operator: 'Exists',
    effect: 'NoSchedule',
  } as const;
  return withPods(objects, deployment, (pods) => ({ ...pods, tolerations: [...(pods.tolerations ?? []), toleration] }));
}

type Pods = PodMaker['spec']['template']['spec'];

function withPods(
  objects: readonly KubernetesObject[],
  deployment: string,
  change: (pods: Pods) => Pods,
): readonly KubernetesObject[] {
  return withChanged<PodMaker>(objects, 'Deployment', deployment, ({ spec, ...rest }) => ({
    ...rest,
    spec: { ...spec, template: { ...spec.template, spec: change(spec.template.spec) } },
  }));
}
