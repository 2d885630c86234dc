// Command cdi-controller stands in for CDI's own where there is no image to import: a DataVolume gets its
// PersistentVolumeClaim, and counts as imported at once.
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// podPhase is CDI's annotation for the phase of the pod that imports. Virtink looks at a VM again when its claim
// changes, and only then.
const podPhase = "cdi.kubevirt.io/storage.pod.phase"

type controller struct {
	client.Client
}

func (c *controller) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var volume cdiv1beta1.DataVolume
	if err := c.Get(ctx, request.NamespacedName, &volume); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if volume.DeletionTimestamp != nil || volume.Status.Phase == cdiv1beta1.Succeeded || volume.Spec.PVC == nil {
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
	before := volume.DeepCopy()
	volume.Status.Phase = cdiv1beta1.Succeeded
	volume.Status.Progress = "100.0%"
	if err := c.Status().Patch(ctx, &volume, client.MergeFrom(before)); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	ctrl.LoggerFrom(ctx).Info("imported")
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"Succeeded"}}}`, podPhase)
	return ctrl.Result{}, client.IgnoreNotFound(c.Patch(ctx, &claim, client.RawPatch("application/merge-patch+json", []byte(patch))))
}

func run() error {
	ctrl.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, cdiv1beta1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{Scheme: scheme, MetricsBindAddress: "0"})
	if err != nil {
		return err
	}
	reconciler := &controller{Client: manager.GetClient()}
	if err := ctrl.NewControllerManagedBy(manager).For(&cdiv1beta1.DataVolume{}).Complete(reconciler); err != nil {
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
