// Command virt-daemon stands in for Virtink's virt-daemon where there is no hypervisor to talk to: it moves the
// VirtualMachines of its node through the phases the real one would report.
package main

import (
	"context"
	"fmt"
	"os"

	virtv1alpha1 "github.com/smartxworks/virtink/pkg/apis/virt/v1alpha1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

type daemon struct {
	client.Client
	nodeName string
}

func (d *daemon) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var vm virtv1alpha1.VirtualMachine
	if err := d.Get(ctx, request.NamespacedName, &vm); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if vm.Status.NodeName != d.nodeName {
		return ctrl.Result{}, nil
	}
	before := vm.DeepCopy()
	deleting := vm.DeletionTimestamp != nil
	switch vm.Status.Phase {
	case virtv1alpha1.VirtualMachineScheduled:
		vm.Status.Phase = virtv1alpha1.VirtualMachineRunning
		if deleting {
			vm.Status.Phase = virtv1alpha1.VirtualMachineSucceeded
		}
	case virtv1alpha1.VirtualMachineRunning:
		if !deleting {
			return ctrl.Result{}, nil
		}
		vm.Status.Phase = virtv1alpha1.VirtualMachineSucceeded
	default:
		return ctrl.Result{}, nil
	}
	ctrl.LoggerFrom(ctx).Info("phase", "from", before.Status.Phase, "to", vm.Status.Phase)
	// The lock keeps a stale cache from moving a phase back; a conflict is an error and so is tried again.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return ctrl.Result{}, client.IgnoreNotFound(d.Status().Patch(ctx, &vm, patch))
}

func run() error {
	ctrl.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	if err := virtv1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{Scheme: scheme, MetricsBindAddress: "0"})
	if err != nil {
		return err
	}
	reconciler := &daemon{Client: manager.GetClient(), nodeName: os.Getenv("NODE_NAME")}
	if err := ctrl.NewControllerManagedBy(manager).For(&virtv1alpha1.VirtualMachine{}).Complete(reconciler); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
