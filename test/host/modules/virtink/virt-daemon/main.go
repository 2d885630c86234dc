// Command virt-daemon stands in for Virtink's virt-daemon. It has no hypervisor to talk to: it moves the
// VirtualMachines of its node through the phases that the real one reports.
package main

import (
	"context"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"knest-action.test/host/virtink/api"
	"knest-action.test/host/virtink/standin"
)

type daemon struct {
	client.Client
	nodeName string
}

func (d *daemon) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var vm api.VirtualMachine
	if err := d.Get(ctx, request.NamespacedName, &vm); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	next := nextPhase(vm.Status.Phase, vm.DeletionTimestamp != nil)
	if vm.Status.NodeName != d.nodeName || next == vm.Status.Phase {
		return ctrl.Result{}, nil
	}
	before := vm.DeepCopyObject().(*api.VirtualMachine)
	vm.Status.Phase = next
	ctrl.LoggerFrom(ctx).Info("phase", "from", before.Status.Phase, "to", next)
	// The lock keeps a stale cache from moving a phase back; a conflict is an error and so is tried again.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return ctrl.Result{}, client.IgnoreNotFound(d.Status().Patch(ctx, &vm, patch))
}

// nextPhase returns what a hypervisor makes of a machine whose pod runs: it runs, and ends when it is to be deleted.
func nextPhase(phase api.Phase, isDeleted bool) api.Phase {
	isOnNode := phase == api.Scheduled || phase == api.Running
	switch {
	case isOnNode && isDeleted:
		return api.Succeeded
	case isOnNode:
		return api.Running
	default:
		return phase
	}
}

func main() {
	standin.Run("Virtink's virt-daemon", "", func(manager ctrl.Manager) error {
		reconciler := &daemon{Client: manager.GetClient(), nodeName: os.Getenv("NODE_NAME")}
		return ctrl.NewControllerManagedBy(manager).For(&api.VirtualMachine{}).Complete(reconciler)
	})
}
