package main

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"knest-action.test/host/virtink/api"
)

// ensureAddress claims an address of the machine's pool and writes it, with a MAC address, into the annotations that
// ask for them. It returns whether the machine can go on, and when to look again otherwise.
func (r *machineReconciler) ensureAddress(ctx context.Context, machine *api.VirtinkMachine) (bool, time.Duration, error) {
	if machine.Spec.IPPoolRef == nil {
		return true, 0, nil
	}
	var claim api.IPClaim
	isThere, err := found(r.Get(ctx, client.ObjectKeyFromObject(machine), &claim))
	if err != nil {
		return false, 0, err
	}
	if !isThere {
		return false, forAddress, r.claimAddress(ctx, machine)
	}
	if claim.Status.ErrorMessage != nil {
		fail(machine, "InvalidConfiguration", *claim.Status.ErrorMessage)
		return false, 0, nil
	}
	if claim.Status.Address == nil {
		return false, forAddress, nil
	}
	var address api.IPAddress
	key := client.ObjectKey{Namespace: claim.Status.Address.Namespace, Name: claim.Status.Address.Name}
	if err := r.Get(ctx, key, &address); err != nil {
		return false, 0, err
	}
	values := strings.NewReplacer("$IP_ADDRESS", address.Spec.Address, "$MAC_ADDRESS", newMAC())
	for name, value := range machine.Annotations {
		machine.Annotations[name] = values.Replace(value)
	}
	return true, 0, nil
}

func (r *machineReconciler) claimAddress(ctx context.Context, machine *api.VirtinkMachine) error {
	pool := map[string]any{"namespace": machine.Namespace, "name": machine.Spec.IPPoolRef.Name}
	claim := newObject(api.IPAM.WithKind("IPClaim"), machine.Namespace, machine.Name, map[string]any{"pool": pool})
	claim.SetFinalizers([]string{finalizer})
	if err := controllerutil.SetOwnerReference(machine, claim, r.Scheme()); err != nil {
		return err
	}
	return r.Create(ctx, claim)
}

// releaseAddress lets the claim go, which its owner reference deletes.
func (r *machineReconciler) releaseAddress(ctx context.Context, machine *api.VirtinkMachine) error {
	if machine.Spec.IPPoolRef == nil {
		return nil
	}
	var claim api.IPClaim
	isThere, err := found(r.Get(ctx, client.ObjectKeyFromObject(machine), &claim))
	if err != nil || !isThere {
		return err
	}
	before := claim.DeepCopyObject().(*api.IPClaim)
	controllerutil.RemoveFinalizer(&claim, finalizer)
	return r.Patch(ctx, &claim, client.MergeFrom(before))
}

// newMAC returns a random address in the range of virtual machines.
func newMAC() string {
	address := net.HardwareAddr{0x52, 0x54, 0, 0, 0, 0}
	_, _ = rand.Read(address[3:]) // never fails
	return address.String()
}

func newObject(kind schema.GroupVersionKind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(spec)}}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}
