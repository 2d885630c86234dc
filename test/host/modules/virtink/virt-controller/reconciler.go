package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"knest-action.test/host/virtink/api"
)

const finalizer = "virtink.io/vm-protection"

// forVolumes is how long upstream waits for a disk that is not ready, unless its claim changes.
const forVolumes = time.Minute

type reconciler struct {
	client.Client
	events    record.EventRecorder
	prerunner string
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var vm api.VirtualMachine
	if err := r.Get(ctx, request.NamespacedName, &vm); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if vm.DeletionTimestamp == nil && !controllerutil.ContainsFinalizer(&vm, finalizer) {
		return ctrl.Result{}, r.patchFinalizers(ctx, &vm, controllerutil.AddFinalizer)
	}
	before := vm.DeepCopyObject().(*api.VirtualMachine)
	again, err := r.reconcile(ctx, &vm)
	// The lock keeps a stale cache from taking a phase back that the node side has written.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if statusError := r.Status().Patch(ctx, &vm, patch); err == nil {
		err = client.IgnoreNotFound(statusError)
	}
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: time.Millisecond}, nil
	}
	if err != nil {
		r.events.Eventf(&vm, corev1.EventTypeWarning, "FailedReconcile", "Failed to reconcile VM: %s", err)
	}
	return ctrl.Result{RequeueAfter: again}, err
}

// reconcile changes the status and returns when to look again, 0 when a change is to be waited for.
func (r *reconciler) reconcile(ctx context.Context, vm *api.VirtualMachine) (time.Duration, error) {
	phase := vm.Status.Phase
	isOnNode := phase == api.Scheduled || phase == api.Running
	if vm.DeletionTimestamp != nil && !isOnNode {
		areGone, err := r.deletePods(ctx, vm)
		if err != nil || !areGone {
			return 0, err
		}
		return 0, client.IgnoreNotFound(r.patchFinalizers(ctx, vm, controllerutil.RemoveFinalizer))
	}
	switch phase {
	case "", api.Succeeded, api.Failed:
		return 0, r.startAgain(ctx, vm)
	case api.Pending:
		vm.Status.VMPodName = fmt.Sprintf("vm-%s-%s", vm.Name, rand.String(5))
		vm.Status.Phase = api.Scheduling
		return 0, nil
	case api.Scheduling, api.Scheduled, api.Running:
		return r.follow(ctx, vm)
	default:
		return 0, nil
	}
}

// startAgain has a VirtualMachine that is new or has ended start, if its run policy says so, once its pods are gone.
func (r *reconciler) startAgain(ctx context.Context, vm *api.VirtualMachine) error {
	areGone, err := r.deletePods(ctx, vm)
	if err != nil || !areGone {
		return err
	}
	phase := vm.Status.Phase
	runs := vm.Spec.RunPolicy == api.Always ||
		phase == "" && (vm.Spec.RunPolicy == api.Once || vm.Spec.RunPolicy == api.RerunOnFailure) ||
		phase == api.Failed && vm.Spec.RunPolicy == api.RerunOnFailure
	if runs {
		phase = api.Pending
	}
	vm.Status = api.VirtualMachineStatus{Phase: phase}
	return nil
}

// follow makes the pod of a VirtualMachine, and its phase what the pod's phase says.
func (r *reconciler) follow(ctx context.Context, vm *api.VirtualMachine) (time.Duration, error) {
	var pod corev1.Pod
	err := r.Get(ctx, client.ObjectKey{Namespace: vm.Namespace, Name: vm.Status.VMPodName}, &pod)
	if client.IgnoreNotFound(err) != nil {
		return 0, err
	}
	if err != nil || !metav1.IsControlledBy(&pod, vm) {
		if vm.Status.Phase == api.Scheduling {
			return r.createPod(ctx, vm)
		}
		vm.Status.Phase = api.Failed
		return 0, nil
	}
	vm.Status.VMPodUID = pod.UID
	vm.Status.NodeName = pod.Spec.NodeName
	switch pod.Status.Phase {
	case corev1.PodRunning:
		if vm.Status.Phase == api.Scheduling {
			vm.Status.Phase = api.Scheduled
		}
	case corev1.PodSucceeded:
		vm.Status.Phase = api.Succeeded
	case corev1.PodFailed:
		vm.Status.Phase = api.Failed
	case corev1.PodUnknown:
		vm.Status.Phase = api.Unknown
	}
	if vm.Status.Phase == api.Running {
		reportReadiness(vm, &pod)
	}
	return 0, nil
}

// reportReadiness makes the condition Ready of a machine that runs what its pod's is.
func reportReadiness(vm *api.VirtualMachine, pod *corev1.Pod) {
	for _, condition := range pod.Status.Conditions {
		if condition.Type != corev1.PodReady {
			continue
		}
		reason := condition.Reason
		if reason == "" {
			reason = string(condition.Status)
		}
		meta.SetStatusCondition(&vm.Status.Conditions, metav1.Condition{
			Type:    "Ready",
			Status:  metav1.ConditionStatus(condition.Status),
			Reason:  reason,
			Message: condition.Message,
		})
	}
}

func (r *reconciler) createPod(ctx context.Context, vm *api.VirtualMachine) (time.Duration, error) {
	for _, volume := range vm.Spec.Volumes {
		isReady, err := r.isReady(ctx, vm.Namespace, volume)
		if err != nil || !isReady {
			return forVolumes, err
		}
	}
	pod, err := newPod(vm, r.prerunner)
	if err != nil {
		return 0, err
	}
	if err := controllerutil.SetControllerReference(vm, pod, r.Scheme()); err != nil {
		return 0, err
	}
	if err := r.Create(ctx, pod); err != nil {
		return 0, fmt.Errorf("create VM Pod: %w", err)
	}
	r.events.Eventf(vm, corev1.EventTypeNormal, "CreatedVMPod", "Created VM Pod %q", pod.Name)
	return 0, nil
}

// isReady returns whether the claim of a DataVolume is there and filled. Other volumes are always ready.
func (r *reconciler) isReady(ctx context.Context, namespace string, volume api.Volume) (bool, error) {
	if volume.DataVolume == nil {
		return true, nil
	}
	key := client.ObjectKey{Namespace: namespace, Name: volume.DataVolume.VolumeName}
	var claim corev1.PersistentVolumeClaim
	if err := r.Get(ctx, key, &claim); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if metav1.GetControllerOf(&claim) == nil {
		return true, nil // nobody fills it
	}
	var source api.DataVolume
	if err := r.Get(ctx, key, &source); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return source.Status.Phase == "Succeeded", nil
}

// deletePods deletes the pods of a VirtualMachine and returns whether all are gone.
func (r *reconciler) deletePods(ctx context.Context, vm *api.VirtualMachine) (bool, error) {
	var pods corev1.PodList
	if err := r.List(ctx, &pods, client.MatchingFields{machineUID: string(vm.UID)}); err != nil {
		return false, err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		if err := r.Delete(ctx, pod); client.IgnoreNotFound(err) != nil {
			return false, err
		}
		r.events.Eventf(vm, corev1.EventTypeNormal, "DeletedVMPod", "Deleted VM Pod %q", pod.Name)
	}
	return len(pods.Items) == 0, nil
}

func (r *reconciler) patchFinalizers(ctx context.Context, vm *api.VirtualMachine, change func(client.Object, string) bool) error {
	before := vm.DeepCopyObject().(*api.VirtualMachine)
	change(vm, finalizer)
	return r.Patch(ctx, vm, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
