// Package api has the objects of Virtink, of its Cluster API provider and of their neighbours, as far as the stand-ins
// read and write them. Objects are changed by patches, so fields that are not named here keep their values.
package api

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Groups of the objects.
var (
	Virt           = schema.GroupVersion{Group: "virt.virtink.smartx.com", Version: "v1alpha1"}
	Infrastructure = schema.GroupVersion{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1"}
	ClusterAPI     = schema.GroupVersion{Group: "cluster.x-k8s.io", Version: "v1beta1"}
	IPAM           = schema.GroupVersion{Group: "ipam.metal3.io", Version: "v1alpha1"}
	CDI            = schema.GroupVersion{Group: "cdi.kubevirt.io", Version: "v1beta1"}
)

// AddToScheme registers the objects.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(Virt, &VirtualMachine{}, &VirtualMachineList{})
	scheme.AddKnownTypes(Infrastructure, &VirtinkCluster{}, &VirtinkClusterList{}, &VirtinkMachine{}, &VirtinkMachineList{})
	scheme.AddKnownTypes(ClusterAPI, &Cluster{}, &ClusterList{}, &Machine{}, &MachineList{})
	scheme.AddKnownTypes(IPAM, &IPClaim{}, &IPClaimList{}, &IPAddress{}, &IPAddressList{})
	scheme.AddKnownTypes(CDI, &DataVolume{}, &DataVolumeList{})
	for _, group := range []schema.GroupVersion{Virt, Infrastructure, ClusterAPI, IPAM, CDI} {
		metav1.AddToGroupVersion(scheme, group)
	}
	return nil
}

// List has the form of every list.
type List[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []T `json:"items"`
}

// copied returns a deep copy by way of JSON: slow and short, which suits objects as few as a test has.
func copied[T any](in *T) *T {
	text, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	return out
}
