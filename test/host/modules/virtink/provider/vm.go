package main

import (
	"context"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"knest-action.test/host/virtink/api"
)

// newVM returns the VirtualMachine of a machine: its template with a disk for the bootstrap data, and with the names of
// the machine's own disks.
func (r *machineReconciler) newVM(ctx context.Context, machine *api.VirtinkMachine, bootstrapSecret string) (*unstructured.Unstructured, error) {
	var secret corev1.Secret
	if err := r.Get(ctx, client.ObjectKey{Namespace: machine.Namespace, Name: bootstrapSecret}, &secret); err != nil {
		return nil, fmt.Errorf("get bootstrap Secret: %w", err)
	}
	spec := runtime.DeepCopyJSON(machine.Spec.VirtualMachineTemplate.Spec)
	for _, volume := range listIn(spec, "volumes") {
		fields, _ := volume.(map[string]any)
		if name, isThere, _ := unstructured.NestedString(fields, "dataVolume", "volumeName"); isThere {
			if err := unstructured.SetNestedField(fields, diskName(machine, name), "dataVolume", "volumeName"); err != nil {
				return nil, err
			}
		}
	}
	const disk = "cloud-init"
	userData := base64.StdEncoding.EncodeToString(secret.Data["value"])
	volume := map[string]any{"name": disk, "cloudInit": map[string]any{"userDataBase64": userData}}
	for _, added := range []struct {
		value any
		path  []string
	}{
		{map[string]any{"name": disk}, []string{"instance", "disks"}},
		{volume, []string{"volumes"}},
	} {
		list := append(listIn(spec, added.path...), added.value)
		if err := unstructured.SetNestedSlice(spec, list, added.path...); err != nil {
			return nil, err
		}
	}
	vm := newObject(api.Virt.WithKind("VirtualMachine"), namespaceOf(machine), machine.Name, spec)
	vm.SetLabels(machine.Labels)
	vm.SetAnnotations(machine.Annotations)
	return vm, nil
}

// listIn returns the list at a path, which may be missing.
func listIn(fields map[string]any, path ...string) []any {
	value, _, _ := unstructured.NestedFieldNoCopy(fields, path...)
	list, _ := value.([]any)
	return list
}

// diskName returns the name of a machine's own disk.
func diskName(machine *api.VirtinkMachine, volume string) string {
	return machine.Name + "-" + volume
}

// ensureVolumes makes the DataVolumes of a machine, unless a DataVolume or a claim has the name: they have neither
// owner nor label, so a machine that comes back finds its disks, and those of one that is gone stay.
func (r *machineReconciler) ensureVolumes(ctx context.Context, infra client.Client, machine *api.VirtinkMachine) error {
	for _, template := range machine.Spec.VolumeTemplates {
		if template.DataVolume == nil {
			continue
		}
		key := client.ObjectKey{Namespace: namespaceOf(machine), Name: diskName(machine, template.DataVolume.Name)}
		hasVolume, err := found(infra.Get(ctx, key, &api.DataVolume{}))
		if err != nil {
			return err
		}
		hasClaim, err := found(infra.Get(ctx, key, &corev1.PersistentVolumeClaim{}))
		if err != nil {
			return err
		}
		if hasVolume || hasClaim {
			continue
		}
		made := newObject(api.CDI.WithKind("DataVolume"), key.Namespace, key.Name, template.DataVolume.Spec)
		if err := infra.Create(ctx, made); err != nil {
			return fmt.Errorf("create DataVolume: %w", err)
		}
		r.events.Eventf(machine, corev1.EventTypeNormal, "CreatedDataVolume", "Created DataVolume %q", key.Name)
	}
	return nil
}
