/** Which object another one is deleted with. */
export interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The metadata that every Kubernetes object has, as far as the action reads it. */
export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** The number of the spec, counted by the API server. */
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Any Kubernetes object. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}

/** A condition; Cluster API and Kubernetes itself share this shape. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

interface WithConditions {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** A `storage.k8s.io/v1` StorageClass. */
export interface StorageClass extends KubernetesObject {
  readonly provisioner?: string;
}

/** The state of one container of a Pod. */
export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode?: number };
    readonly running?: { readonly startedAt?: string };
  };
}

/** A container of a pod, as it is asked for. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

/** A core/v1 Pod. */
export interface Pod extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly runtimeClassName?: string;
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
  };
  readonly status?: {
    readonly phase?: string;
    /** Set once its sandbox, and with it its network, is made. */
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly reason?: string;
    readonly message?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A core/v1 Event. */
export interface KubernetesEvent extends KubernetesObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject?: {
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
}

/** A core/v1 Secret; values are base64. */
export interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A core/v1 ConfigMap. */
export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A core/v1 Service. */
export interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly port: number; readonly nodePort?: number }[];
    readonly selector?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

/** A core/v1 LimitRange; quantities by the name of the resource. */
export interface LimitRange extends KubernetesObject {
  readonly spec?: {
    readonly limits?: readonly {
      readonly type: string;
      readonly max?: Readonly<Record<string, string>>;
      readonly default?: Readonly<Record<string, string>>;
    }[];
  };
}

/** A core/v1 PersistentVolume, as far as it tells where its data is. */
export interface PersistentVolume extends KubernetesObject {
  readonly spec?: {
    readonly local?: object;
    readonly hostPath?: object;
    readonly claimRef?: { readonly namespace?: string; readonly name?: string };
    readonly nodeAffinity?: {
      readonly required?: {
        readonly nodeSelectorTerms?: readonly {
          readonly matchExpressions?: readonly {
            readonly key: string;
            readonly operator: string;
            readonly values?: readonly string[];
          }[];
        }[];
      };
    };
  };
  readonly status?: { readonly phase?: string };
}

/** A core/v1 ResourceQuota. */
export interface ResourceQuota extends KubernetesObject {
  /** Set when it counts only some of the pods. */
  readonly spec?: { readonly scopes?: readonly string[]; readonly scopeSelector?: object };
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

/** What keeps pods off a node. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** A core/v1 Node. */
export interface Node extends KubernetesObject {
  readonly spec?: {
    readonly podCIDR?: string;
    readonly podCIDRs?: readonly string[];
    /** Whether it is cordoned. */
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
  };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly Condition[];
    /** What pods can request of it, as Kubernetes quantities. */
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly nodeInfo?: { readonly kubeletVersion?: string };
  };
}

/** `crd.projectcalico.org/v1` IPPool. Source: docs.tigera.io, "IP pool". */
export interface CalicoIpPool extends KubernetesObject {
  readonly spec?: { readonly cidr?: string };
}

/** `kubeovn.io/v1` Subnet; two ranges with a comma between them where it has both families. Source: Kube-OVN, "Subnet". */
export interface KubeOvnSubnet extends KubernetesObject {
  readonly spec?: { readonly cidrBlock?: string };
}

/** A `networking.k8s.io/v1` ServiceCIDR (Kubernetes 1.33 and newer). */
export interface ServiceCidr extends KubernetesObject {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

/** An `apiextensions.k8s.io/v1` CustomResourceDefinition. */
export interface CustomResourceDefinition extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Calico's FelixConfiguration, as far as it drops packets. Source: calico v3.31 api/pkg/apis/projectcalico/v3. */
export interface FelixConfiguration extends KubernetesObject {
  readonly spec?: {
    readonly allowVXLANPacketsFromWorkloads?: boolean;
    readonly allowIPIPPacketsFromWorkloads?: boolean;
    readonly vxlanPort?: number;
  };
}

interface WithPodTemplate {
  readonly template?: {
    readonly spec?: { readonly containers?: readonly { readonly image?: string; readonly args?: readonly string[] }[] };
  };
}

/** An apps/v1 Deployment. */
export interface Deployment extends KubernetesObject {
  readonly spec?: WithPodTemplate;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** An apps/v1 DaemonSet. */
export interface DaemonSet extends KubernetesObject {
  readonly spec?: WithPodTemplate;
  readonly status?: {
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
    readonly observedGeneration?: number;
  };
}

/** A `coordination.k8s.io/v1` Lease. */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
  };
}

/** The condition of that type, if the object has it. */
export function conditionOf(object: WithConditions | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}
