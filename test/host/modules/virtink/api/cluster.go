package api

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ClusterNameLabel is on everything that belongs to a cluster, ControlPlaneLabel on machines with a control plane.
const (
	ClusterNameLabel  = "cluster.x-k8s.io/cluster-name"
	ControlPlaneLabel = "cluster.x-k8s.io/control-plane"
)

// Cluster is Cluster API's.
type Cluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		InfrastructureRef *corev1.ObjectReference `json:"infrastructureRef,omitempty"`
	} `json:"spec,omitempty"`
	Status struct {
		InfrastructureReady bool `json:"infrastructureReady,omitempty"`
	} `json:"status,omitempty"`
}

// Machine is Cluster API's.
type Machine struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		Bootstrap struct {
			DataSecretName *string `json:"dataSecretName,omitempty"`
		} `json:"bootstrap,omitempty"`
	} `json:"spec,omitempty"`
}

// Endpoint is where an API server answers.
type Endpoint struct {
	Host string `json:"host"`
	Port int32  `json:"port"`
}

// VirtinkCluster is the provider's part of a Cluster.
type VirtinkCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VirtinkClusterSpec `json:"spec,omitempty"`
	Status            struct {
		Ready bool `json:"ready,omitempty"`
	} `json:"status,omitempty"`
}

// VirtinkClusterSpec says how the API server is reached.
type VirtinkClusterSpec struct {
	// ControlPlaneEndpoint is never absent, like upstream's: a change of its port alone is a patch without a host.
	ControlPlaneEndpoint        Endpoint        `json:"controlPlaneEndpoint"`
	ControlPlaneServiceTemplate ServiceTemplate `json:"controlPlaneServiceTemplate,omitempty"`
	// InfraClusterSecretRef names the kubeconfig of another cluster, in which machines are made.
	InfraClusterSecretRef *corev1.ObjectReference `json:"infraClusterSecretRef,omitempty"`
}

// ServiceTemplate is what a control plane's Service is made from.
type ServiceTemplate struct {
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Type              *corev1.ServiceType `json:"type,omitempty"`
}

// VirtinkMachine is the provider's part of a Machine.
type VirtinkMachine struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VirtinkMachineSpec   `json:"spec,omitempty"`
	Status            VirtinkMachineStatus `json:"status,omitempty"`
}

// VirtinkMachineSpec is what the VirtualMachine of a machine is made from.
type VirtinkMachineSpec struct {
	ProviderID             *string                      `json:"providerID,omitempty"`
	VirtualMachineTemplate VirtualMachineTemplate       `json:"virtualMachineTemplate"`
	VolumeTemplates        []VolumeTemplate             `json:"volumeTemplates,omitempty"`
	IPPoolRef              *corev1.LocalObjectReference `json:"ipPoolRef,omitempty"`
}

// VirtualMachineTemplate has the whole spec of a VirtualMachine, whatever it contains.
type VirtualMachineTemplate struct {
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              map[string]any `json:"spec"`
}

// VolumeTemplate is a disk of a machine's own.
type VolumeTemplate struct {
	DataVolume *struct {
		metav1.ObjectMeta `json:"metadata,omitempty"`
		Spec              map[string]any `json:"spec"`
	} `json:"dataVolume,omitempty"`
}

// VirtinkMachineStatus is what Cluster API reads.
type VirtinkMachineStatus struct {
	Ready          bool    `json:"ready"`
	FailureReason  *string `json:"failureReason,omitempty"`
	FailureMessage *string `json:"failureMessage,omitempty"`
}

// IPClaim asks metal3's address manager for an address of a pool.
type IPClaim struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		Pool corev1.ObjectReference `json:"pool"`
	} `json:"spec,omitempty"`
	Status struct {
		Address      *corev1.ObjectReference `json:"address,omitempty"`
		ErrorMessage *string                 `json:"errorMessage,omitempty"`
	} `json:"status,omitempty"`
}

// IPAddress is what the address manager gives.
type IPAddress struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		Address string `json:"address"`
	} `json:"spec,omitempty"`
}

// DataVolume is CDI's: a claim that an import fills.
type DataVolume struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		PVC *corev1.PersistentVolumeClaimSpec `json:"pvc,omitempty"`
	} `json:"spec,omitempty"`
	Status struct {
		Phase    string `json:"phase,omitempty"`
		Progress string `json:"progress,omitempty"`
	} `json:"status,omitempty"`
}

// Lists of the objects.
type (
	ClusterList        List[Cluster]
	MachineList        List[Machine]
	VirtinkClusterList List[VirtinkCluster]
	VirtinkMachineList List[VirtinkMachine]
	IPClaimList        List[IPClaim]
	IPAddressList      List[IPAddress]
	DataVolumeList     List[DataVolume]
)

// DeepCopyObject implements runtime.Object, here and below.
func (in *Cluster) DeepCopyObject() runtime.Object            { return copied(in) }
func (in *ClusterList) DeepCopyObject() runtime.Object        { return copied(in) }
func (in *Machine) DeepCopyObject() runtime.Object            { return copied(in) }
func (in *MachineList) DeepCopyObject() runtime.Object        { return copied(in) }
func (in *VirtinkCluster) DeepCopyObject() runtime.Object     { return copied(in) }
func (in *VirtinkClusterList) DeepCopyObject() runtime.Object { return copied(in) }
func (in *VirtinkMachine) DeepCopyObject() runtime.Object     { return copied(in) }
func (in *VirtinkMachineList) DeepCopyObject() runtime.Object { return copied(in) }
func (in *IPClaim) DeepCopyObject() runtime.Object            { return copied(in) }
func (in *IPClaimList) DeepCopyObject() runtime.Object        { return copied(in) }
func (in *IPAddress) DeepCopyObject() runtime.Object          { return copied(in) }
func (in *IPAddressList) DeepCopyObject() runtime.Object      { return copied(in) }
func (in *DataVolume) DeepCopyObject() runtime.Object         { return copied(in) }
func (in *DataVolumeList) DeepCopyObject() runtime.Object     { return copied(in) }
