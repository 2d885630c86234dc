import type { Condition, KubernetesObject } from './objects.ts';

/**
 * The reason of a provider of the v1beta1 contract for giving up; Cluster API copies it to the Cluster or Machine.
 * Source: cluster-api v1.14 core/reconcilers/machine/machine_controller_phases.go.
 */
interface Deprecated {
  readonly v1beta1?: { readonly failureReason?: string; readonly failureMessage?: string };
}

/** `cluster.x-k8s.io/v1beta2` Cluster. Source: cluster-api v1.14 api/core/v1beta2/cluster_types.go. */
export interface Cluster extends KubernetesObject {
  readonly spec?: {
    readonly paused?: boolean;
    readonly controlPlaneEndpoint?: { readonly host?: string; readonly port?: number };
    readonly clusterNetwork?: Readonly<
      Partial<Record<'pods' | 'services', { readonly cidrBlocks?: readonly string[] }>>
    >;
    readonly infrastructureRef?: { readonly kind?: string; readonly name?: string; readonly apiGroup?: string };
    readonly controlPlaneRef?: { readonly kind?: string; readonly name?: string; readonly apiGroup?: string };
    /** Set when a ClusterClass makes the rest. */
    readonly topology?: {
      readonly version?: string;
      readonly workers?: {
        readonly machineDeployments?: readonly { readonly name?: string; readonly replicas?: number }[];
      };
    };
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly initialization?: {
      readonly infrastructureProvisioned?: boolean;
      readonly controlPlaneInitialized?: boolean;
    };
    readonly deprecated?: Deprecated;
  };
}

/** What the machines of a control plane or MachineDeployment are to be, in v1beta2. */
export interface MachineSpec {
  readonly version?: string;
  readonly infrastructureRef?: Reference;
  readonly bootstrap?: { readonly configRef?: Reference };
  readonly deletion?: { readonly nodeDrainTimeoutSeconds?: number };
}

/** An object of the same namespace, in whatever version of its API. */
export interface Reference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
}

/** What kubeadm does on the machines of a role. Source: cluster-api v1.14 api/bootstrap/kubeadm/v1beta2. */
export interface KubeadmConfigSpec {
  readonly initConfiguration?: NodeConfiguration;
  readonly joinConfiguration?: NodeConfiguration;
}

interface NodeConfiguration {
  readonly nodeRegistration?: {
    readonly kubeletExtraArgs?: readonly { readonly name?: string; readonly value?: string }[];
  };
}

/** `bootstrap.cluster.x-k8s.io/v1beta2` KubeadmConfigTemplate. */
export interface KubeadmConfigTemplate extends KubernetesObject {
  readonly spec?: { readonly template?: { readonly spec?: KubeadmConfigSpec } };
}

/** `cluster.x-k8s.io/v1beta2` Machine. */
export interface Machine extends KubernetesObject {
  readonly spec?: {
    readonly version?: string;
    readonly bootstrap?: { readonly dataSecretName?: string };
    readonly infrastructureRef?: { readonly kind?: string; readonly name?: string };
  };
  readonly status?: {
    readonly phase?: string;
    readonly nodeRef?: { readonly name?: string };
    readonly conditions?: readonly Condition[];
    readonly deprecated?: Deprecated;
  };
}

/** KubeadmControlPlane and MachineDeployment: whatever counts replicas. */
export interface Scalable extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly rollout?: { readonly strategy?: { readonly type?: string } };
    /** A KubeadmControlPlane has the version of its machines here. */
    readonly version?: string;
    readonly machineTemplate?: { readonly spec?: MachineSpec };
    readonly kubeadmConfigSpec?: KubeadmConfigSpec;
    /** A MachineDeployment has all of its machines here. */
    readonly template?: { readonly spec?: MachineSpec };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly upToDateReplicas?: number;
    /** The oldest version of the machines of a KubeadmControlPlane. */
    readonly version?: string;
    readonly conditions?: readonly Condition[];
  };
}

/** `addons.cluster.x-k8s.io/v1beta2` ClusterResourceSet. */
export interface ClusterResourceSet extends KubernetesObject {
  readonly spec?: { readonly resources?: readonly { readonly kind: string; readonly name: string }[] };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly deprecated?: { readonly v1beta1?: { readonly conditions?: readonly Condition[] } };
  };
}

/**
 * `virt.virtink.smartx.com/v1alpha1` VirtualMachine, and `kubevirt.io/v1` VirtualMachineInstance, which has no run policy
 * and does not name its pod. Sources: virtink v0.15.0 pkg/apis/virt/v1alpha1/types.go; kubevirt.io/api v1.8.4
 * core/v1/types.go.
 */
export interface VirtualMachine extends KubernetesObject {
  readonly spec?: { readonly runPolicy?: string };
  readonly status?: {
    readonly phase?: string;
    readonly vmPodName?: string;
    readonly nodeName?: string;
    readonly conditions?: readonly Condition[];
  };
}

/** `infrastructure.cluster.x-k8s.io/v1beta1` VirtinkMachine. Source: cluster-api-provider-virtink v0.7.0 api/v1beta1. */
export interface VirtinkMachine extends KubernetesObject {
  readonly spec?: {
    readonly volumeTemplates?: readonly { readonly dataVolume?: { readonly metadata?: { readonly name?: string } } }[];
  };
}

/** `cdi.kubevirt.io/v1beta1` DataVolume. Source: containerized-data-importer doc/datavolumes.md. */
export interface DataVolume extends KubernetesObject {
  readonly status?: {
    readonly phase?: string;
    /** `Running` tells how the pod is that imports. */
    readonly conditions?: readonly Condition[];
  };
}

/** `ipam.metal3.io/v1alpha1` IPPool. Source: metal3-io/ip-address-manager v1.2.1 api/v1alpha1/ippool_types.go. */
export interface IPPool extends KubernetesObject {
  readonly spec?: {
    readonly pools?: readonly { readonly start?: string; readonly end?: string; readonly subnet?: string }[];
  };
}

/** `clusterctl.cluster.x-k8s.io/v1alpha3` Provider: clusterctl's record of what it installed. */
export interface Provider extends KubernetesObject {
  readonly providerName?: string;
  readonly type?: string;
  readonly version?: string;
}
