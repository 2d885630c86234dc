package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"knest-action.test/host/virtink/api"
)

// How long upstream waits before it looks again. It does not watch VirtualMachines, so these bound how fast a machine
// becomes ready.
const (
	whileWaiting  = 3 * time.Second
	whileStarting = 10 * time.Second
	whenSettled   = 30 * time.Second
	forAddress    = time.Second
)

type machineReconciler struct {
	client.Client
	events record.EventRecorder
}

func (r *machineReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var machine api.VirtinkMachine
	if err := r.Get(ctx, request.NamespacedName, &machine); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := machine.DeepCopyObject().(*api.VirtinkMachine)
	again, err := r.reconcile(ctx, &machine)
	if err := errors.Join(err, patchAll(ctx, r.Client, before, &machine)); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// reconcile changes the machine and returns when to look at it again; 0 when a change of it is to be waited for.
func (r *machineReconciler) reconcile(ctx context.Context, machine *api.VirtinkMachine) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(machine, finalizer) {
		if machine.DeletionTimestamp == nil {
			controllerutil.AddFinalizer(machine, finalizer)
		}
		return whenSettled, nil
	}
	var owner api.Machine
	if isOwned, err := ownerOf(ctx, r, machine, "Machine", &owner); err != nil || !isOwned {
		return whenSettled, err
	}
	var cluster api.Cluster
	key := client.ObjectKey{Namespace: machine.Namespace, Name: machine.Labels[api.ClusterNameLabel]}
	if isThere, err := found(r.Get(ctx, key, &cluster)); err != nil || !isThere {
		return whenSettled, err
	}
	infra, err := r.infrastructureOf(ctx, &cluster)
	if err != nil {
		return 0, err
	}
	if machine.DeletionTimestamp != nil {
		return whenSettled, r.delete(ctx, infra, machine)
	}
	if !cluster.Status.InfrastructureReady || owner.Spec.Bootstrap.DataSecretName == nil {
		return whileWaiting, nil
	}
	hasAddress, again, err := r.ensureAddress(ctx, machine)
	if err != nil || !hasAddress {
		return again, err
	}
	if err := r.ensureVolumes(ctx, infra, machine); err != nil {
		return 0, err
	}
	return r.ensureVM(ctx, infra, machine, *owner.Spec.Bootstrap.DataSecretName)
}

// infrastructureOf returns a client of the cluster in which the machines of a Cluster are made. Where its VirtinkCluster
// is gone there is none, and a machine cannot be deleted.
func (r *machineReconciler) infrastructureOf(ctx context.Context, cluster *api.Cluster) (client.Client, error) {
	reference := cluster.Spec.InfrastructureRef
	if reference == nil {
		return r.Client, nil
	}
	var owner api.VirtinkCluster
	if err := r.Get(ctx, client.ObjectKey{Namespace: reference.Namespace, Name: reference.Name}, &owner); err != nil {
		return nil, fmt.Errorf("get VirtinkCluster: %w", err)
	}
	return infrastructure(ctx, r.Client, owner.Spec.InfraClusterSecretRef)
}

// delete issues the deletion of the VirtualMachine and frees the address. It waits for neither, and leaves the disks.
func (r *machineReconciler) delete(ctx context.Context, infra client.Client, machine *api.VirtinkMachine) error {
	var vm api.VirtualMachine
	isThere, err := found(infra.Get(ctx, client.ObjectKey{Namespace: namespaceOf(machine), Name: machine.Name}, &vm))
	if err != nil {
		return err
	}
	if isThere {
		if err := infra.Delete(ctx, &vm); err != nil {
			return err
		}
		r.events.Eventf(machine, corev1.EventTypeNormal, "DeletedVM", "Deleted VM %q", vm.Name)
	}
	if err := r.releaseAddress(ctx, machine); err != nil {
		return err
	}
	controllerutil.RemoveFinalizer(machine, finalizer)
	return nil
}

// ensureVM makes the VirtualMachine, and reports once it is there how far it is.
func (r *machineReconciler) ensureVM(ctx context.Context, infra client.Client, machine *api.VirtinkMachine, bootstrapSecret string) (time.Duration, error) {
	var vm api.VirtualMachine
	isThere, err := found(infra.Get(ctx, client.ObjectKey{Namespace: namespaceOf(machine), Name: machine.Name}, &vm))
	if err != nil {
		return 0, err
	}
	if !isThere {
		made, err := r.newVM(ctx, machine, bootstrapSecret)
		if err != nil {
			return 0, err
		}
		if err := infra.Create(ctx, made); err != nil {
			return 0, fmt.Errorf("create VM: %w", err)
		}
		r.events.Eventf(machine, corev1.EventTypeNormal, "CreatedVM", "Created VM %q", made.GetName())
		return whileStarting, nil
	}
	providerID := "virtink://" + string(vm.UID)
	machine.Spec.ProviderID = &providerID
	machine.Status.Ready = vm.Status.Phase == api.Running
	switch vm.Status.Phase {
	case api.Pending, api.Scheduling, api.Scheduled:
		return whileStarting, nil
	case api.Failed, api.Succeeded:
		staysEnded := vm.Spec.RunPolicy == api.Once || vm.Spec.RunPolicy == api.Halted
		if staysEnded || vm.Status.Phase == api.Succeeded && vm.Spec.RunPolicy == api.RerunOnFailure {
			fail(machine, "UpdateError", "VM has reached final state")
		}
	}
	return whenSettled, nil
}

func fail(machine *api.VirtinkMachine, reason, message string) {
	machine.Status.FailureReason = &reason
	machine.Status.FailureMessage = &message
}

// namespaceOf returns where the VirtualMachine and its disks are: the template may name another namespace.
func namespaceOf(machine *api.VirtinkMachine) string {
	if namespace := machine.Spec.VirtualMachineTemplate.Namespace; namespace != "" {
		return namespace
	}
	return machine.Namespace
}
