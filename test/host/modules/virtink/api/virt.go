package api

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Phase is how far a VirtualMachine is.
type Phase string

// Phases in their order.
const (
	Pending    Phase = "Pending"
	Scheduling Phase = "Scheduling"
	Scheduled  Phase = "Scheduled"
	Running    Phase = "Running"
	Succeeded  Phase = "Succeeded"
	Failed     Phase = "Failed"
	Unknown    Phase = "Unknown"
)

// RunPolicy says whether a VirtualMachine starts again once it has ended.
type RunPolicy string

// Run policies that the stand-in knows.
const (
	Once           RunPolicy = "Once"
	Always         RunPolicy = "Always"
	RerunOnFailure RunPolicy = "RerunOnFailure"
	Halted         RunPolicy = "Halted"
)

// VirtualMachine is Virtink's.
type VirtualMachine struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              VirtualMachineSpec   `json:"spec,omitempty"`
	Status            VirtualMachineStatus `json:"status,omitempty"`
}

// VirtualMachineSpec has what a pod is made from.
type VirtualMachineSpec struct {
	NodeSelector   map[string]string           `json:"nodeSelector,omitempty"`
	Affinity       *corev1.Affinity            `json:"affinity,omitempty"`
	Tolerations    []corev1.Toleration         `json:"tolerations,omitempty"`
	Resources      corev1.ResourceRequirements `json:"resources,omitempty"`
	LivenessProbe  *corev1.Probe               `json:"livenessProbe,omitempty"`
	ReadinessProbe *corev1.Probe               `json:"readinessProbe,omitempty"`
	RunPolicy      RunPolicy                   `json:"runPolicy,omitempty"`
	Instance       Instance                    `json:"instance"`
	Volumes        []Volume                    `json:"volumes,omitempty"`
	Networks       []Network                   `json:"networks,omitempty"`
}

// Instance is the hardware.
type Instance struct {
	Kernel     *Kernel     `json:"kernel,omitempty"`
	Interfaces []Interface `json:"interfaces,omitempty"`
}

// Kernel is booted from an image.
type Kernel struct {
	Image           string            `json:"image"`
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// Interface is a network card.
type Interface struct {
	Name       string    `json:"name"`
	Masquerade *struct{} `json:"masquerade,omitempty"`
}

// Network is what a card is plugged into.
type Network struct {
	Name string `json:"name"`
}

// Volume is a disk's content; one of its sources is set.
type Volume struct {
	Name                  string           `json:"name"`
	ContainerDisk         *ContainerImage  `json:"containerDisk,omitempty"`
	ContainerRootfs       *ContainerRootfs `json:"containerRootfs,omitempty"`
	CloudInit             *CloudInit       `json:"cloudInit,omitempty"`
	PersistentVolumeClaim *ClaimSource     `json:"persistentVolumeClaim,omitempty"`
	DataVolume            *DataSource      `json:"dataVolume,omitempty"`
}

// ClaimName returns the PersistentVolumeClaim of the volume, if it has one. CDI names it like the DataVolume.
func (v Volume) ClaimName() string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ClaimName
	case v.DataVolume != nil:
		return v.DataVolume.VolumeName
	default:
		return ""
	}
}

// ContainerImage is a disk in an image.
type ContainerImage struct {
	Image           string            `json:"image"`
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// ContainerRootfs is a root file system in an image, written to a disk of its size.
type ContainerRootfs struct {
	ContainerImage `json:",inline"`
	Size           resource.Quantity `json:"size"`
}

// CloudInit is the data that a machine reads when it boots; each in one of its forms.
type CloudInit struct {
	UserData          string `json:"userData,omitempty"`
	UserDataBase64    string `json:"userDataBase64,omitempty"`
	NetworkData       string `json:"networkData,omitempty"`
	NetworkDataBase64 string `json:"networkDataBase64,omitempty"`
}

// ClaimSource names a PersistentVolumeClaim.
type ClaimSource struct {
	ClaimName string `json:"claimName"`
}

// DataSource names a DataVolume.
type DataSource struct {
	VolumeName string `json:"volumeName"`
}

// VirtualMachineStatus is written by the controller and, from Scheduled on, by the node side.
type VirtualMachineStatus struct {
	Phase      Phase              `json:"phase,omitempty"`
	VMPodName  string             `json:"vmPodName,omitempty"`
	VMPodUID   types.UID          `json:"vmPodUID,omitempty"`
	NodeName   string             `json:"nodeName,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// VirtualMachineList is a list of VirtualMachines.
type VirtualMachineList List[VirtualMachine]

// DeepCopyObject implements runtime.Object.
func (in *VirtualMachine) DeepCopyObject() runtime.Object { return copied(in) }

// DeepCopyObject implements runtime.Object.
func (in *VirtualMachineList) DeepCopyObject() runtime.Object { return copied(in) }
