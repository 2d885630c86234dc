// Command virt-controller stands in for Virtink's virt-controller v0.15.0: it makes the pod of a VirtualMachine, and
// follows it until the node side takes over.
package main

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"knest-action.test/host/virtink/api"
	"knest-action.test/host/virtink/standin"
)

// machineUID is an index of pods by the VirtualMachine that they belong to.
const machineUID = "vmUID"

func main() {
	standin.Run("Virtink's virt-controller v0.15.0", "controller.virtink.smartx.com", setUp)
}

func setUp(manager ctrl.Manager) error {
	registerWebhooks(manager)
	if err := manager.GetFieldIndexer().IndexField(context.Background(), &corev1.Pod{}, machineUID, uidOfMachine); err != nil {
		return err
	}
	r := &reconciler{manager.GetClient(), manager.GetEventRecorderFor("virt-controller"), os.Getenv("PRERUNNER_IMAGE")}
	return ctrl.NewControllerManagedBy(manager).
		For(&api.VirtualMachine{}).
		Owns(&corev1.Pod{}).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(r.machinesWithClaim)).
		Complete(r)
}

func uidOfMachine(pod client.Object) []string {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || owner.APIVersion != api.Virt.String() || owner.Kind != "VirtualMachine" {
		return nil
	}
	return []string{string(owner.UID)}
}

// machinesWithClaim returns the VirtualMachines that have a claim for a disk. Their disks may be ready now.
func (r *reconciler) machinesWithClaim(ctx context.Context, claim client.Object) []reconcile.Request {
	var machines api.VirtualMachineList
	if err := r.List(ctx, &machines, client.InNamespace(claim.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list VirtualMachines")
		return nil
	}
	var requests []reconcile.Request
	for i := range machines.Items {
		for _, volume := range machines.Items[i].Spec.Volumes {
			if volume.ClaimName() == claim.GetName() {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&machines.Items[i])})
				break
			}
		}
	}
	return requests
}
