// Command cdi-controller stands in for CDI's controller where there is no image to import: a DataVolume gets its
// PersistentVolumeClaim, and counts as imported at once.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"knest-action.test/host/virtink/api"
	"knest-action.test/host/virtink/standin"
)

const succeeded = "Succeeded"

type controller struct {
	client.Client
}

func (c *controller) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var volume api.DataVolume
	if err := c.Get(ctx, request.NamespacedName, &volume); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if volume.DeletionTimestamp != nil || volume.Status.Phase == succeeded || volume.Spec.PVC == nil {
		return ctrl.Result{}, nil
	}
	claim := corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: volume.Namespace, Name: volume.Name},
		Spec:       *volume.Spec.PVC,
	}
	if err := controllerutil.SetControllerReference(&volume, &claim, c.Scheme()); err != nil {
		return ctrl.Result{}, err
	}
	if err := c.Create(ctx, &claim); err != nil && !apierrors.IsAlreadyExists(err) {
		return ctrl.Result{}, err
	}
	before := volume.DeepCopyObject().(*api.DataVolume)
	volume.Status.Phase = succeeded
	volume.Status.Progress = "100.0%"
	if err := c.Status().Patch(ctx, &volume, client.MergeFrom(before)); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	ctrl.LoggerFrom(ctx).Info("imported")
	// CDI's annotation for the phase of the pod that imports: Virtink looks at a VM again only when its claim changes.
	patch := []byte(`{"metadata":{"annotations":{"cdi.kubevirt.io/storage.pod.phase":"Succeeded"}}}`)
	return ctrl.Result{}, client.IgnoreNotFound(c.Patch(ctx, &claim, client.RawPatch("application/merge-patch+json", patch)))
}

func main() {
	standin.Run("CDI's cdi-controller", "", func(manager ctrl.Manager) error {
		reconciler := &controller{Client: manager.GetClient()}
		return ctrl.NewControllerManagedBy(manager).For(&api.DataVolume{}).Complete(reconciler)
	})
}
