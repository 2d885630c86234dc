// Command provider stands in for the manager of Virtink's Cluster API provider: it makes the Service of a control plane
// and the VirtualMachines of machines, as release v0.7.0 is known to, with its pauses and its faults.
package main

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"knest-action.test/host/virtink/api"
	"knest-action.test/host/virtink/standin"
)

// finalizer is on clusters, machines and address claims of the provider.
const finalizer = "capch.cluster.x-k8s.io"

// ownerOf reads into `owner` the object of Cluster API's kind that an object's owner references name. It returns
// whether there is one.
func ownerOf(ctx context.Context, reader client.Reader, object metav1.Object, kind string, owner client.Object) (bool, error) {
	for _, reference := range object.GetOwnerReferences() {
		if reference.Kind != kind {
			continue
		}
		key := client.ObjectKey{Namespace: object.GetNamespace(), Name: reference.Name}
		return found(reader.Get(ctx, key, owner))
	}
	return false, nil
}

// found tells "not found" from other errors of a Get.
func found(err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// patchAll writes metadata and spec, then the status, as far as they differ. It writes the status even when the first
// patch is refused, as the helper of Cluster API that upstream uses does.
func patchAll(ctx context.Context, c client.Client, before, after client.Object) error {
	status := after.DeepCopyObject().(client.Object)
	change := client.MergeFrom(before)
	// Without its last finalizer the object is gone.
	err := client.IgnoreNotFound(c.Patch(ctx, after, change))
	return errors.Join(err, client.IgnoreNotFound(c.Status().Patch(ctx, status, change)))
}

func main() {
	standin.Run("the manager of cluster-api-provider-virtink v0.7.0", finalizer, func(manager ctrl.Manager) error {
		recorder := manager.GetEventRecorderFor("capch-controller-manager")
		clusters := &clusterReconciler{manager.GetClient(), recorder}
		if err := ctrl.NewControllerManagedBy(manager).For(&api.VirtinkCluster{}).Complete(clusters); err != nil {
			return err
		}
		machines := &machineReconciler{manager.GetClient(), recorder}
		return ctrl.NewControllerManagedBy(manager).For(&api.VirtinkMachine{}).Complete(machines)
	})
}
