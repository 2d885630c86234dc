package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"knest-action.test/host/virtink/api"
)

const apiServerPort = 6443

type clusterReconciler struct {
	client.Client
	events record.EventRecorder
}

func (r *clusterReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var cluster api.VirtinkCluster
	if err := r.Get(ctx, request.NamespacedName, &cluster); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := cluster.DeepCopyObject().(*api.VirtinkCluster)
	if err := r.reconcile(ctx, &cluster); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, patchAll(ctx, r.Client, before, &cluster)
}

func (r *clusterReconciler) reconcile(ctx context.Context, cluster *api.VirtinkCluster) error {
	hasFinalizer := controllerutil.ContainsFinalizer(cluster, finalizer)
	if !hasFinalizer {
		if cluster.DeletionTimestamp == nil {
			controllerutil.AddFinalizer(cluster, finalizer)
		}
		return nil
	}
	infra, err := infrastructure(ctx, r.Client, cluster.Spec.InfraClusterSecretRef)
	if err != nil {
		return err
	}
	if cluster.DeletionTimestamp != nil {
		return r.delete(ctx, infra, cluster)
	}
	return r.publish(ctx, infra, cluster)
}

// delete issues the deletion of whatever Service has the cluster's name, and waits for nothing.
func (r *clusterReconciler) delete(ctx context.Context, infra client.Client, cluster *api.VirtinkCluster) error {
	service := r.serviceOf(cluster)
	isThere, err := found(infra.Get(ctx, client.ObjectKeyFromObject(service), service))
	if err != nil {
		return err
	}
	if isThere {
		if err := infra.Delete(ctx, service); err != nil {
			return err
		}
		r.events.Eventf(cluster, corev1.EventTypeNormal, "DeletedControlPlaneService", "Deleted control plane Service %q", service.Name)
	}
	controllerutil.RemoveFinalizer(cluster, finalizer)
	return nil
}

// publish makes the Service of the control plane, or takes whichever has the cluster's name, and publishes its address.
// In the pass that makes it the address is still empty, as upstream's is. The CRD refuses a patch of the port alone, so
// the cluster is ready for a moment without an endpoint.
func (r *clusterReconciler) publish(ctx context.Context, infra client.Client, cluster *api.VirtinkCluster) error {
	var owner api.Cluster
	isOwned, err := ownerOf(ctx, r, cluster, "Cluster", &owner)
	if err != nil {
		return err
	}
	if !isOwned {
		if len(cluster.OwnerReferences) == 0 {
			return nil
		}
		// The owner may not be in the cache yet, and no change of the cluster may follow: it is tried again, as upstream does.
		return errors.New("the Cluster that owns it is not found")
	}
	service := r.serviceOf(cluster)
	isThere, err := found(infra.Get(ctx, client.ObjectKeyFromObject(service), service))
	if err != nil {
		return err
	}
	if !isThere {
		made := r.newService(cluster, owner.Name)
		if err := infra.Create(ctx, made); err != nil {
			return fmt.Errorf("create control plane Service: %w", err)
		}
		r.events.Eventf(cluster, corev1.EventTypeNormal, "CreatedControlPlaneService", "Created control plane Service %q", made.Name)
	}
	host := service.Spec.ClusterIP
	if wanted := cluster.Spec.ControlPlaneServiceTemplate.Type; wanted != nil && *wanted == corev1.ServiceTypeLoadBalancer {
		if len(service.Status.LoadBalancer.Ingress) == 0 {
			return errors.New("control plane load balancer is not ready")
		}
		host = service.Status.LoadBalancer.Ingress[0].IP
	}
	cluster.Spec.ControlPlaneEndpoint = api.Endpoint{Host: host, Port: apiServerPort}
	cluster.Status.Ready = true
	return nil
}

// serviceOf returns the control plane's Service without content, to be read. It may be in another namespace.
func (r *clusterReconciler) serviceOf(cluster *api.VirtinkCluster) *corev1.Service {
	namespace := cluster.Spec.ControlPlaneServiceTemplate.Namespace
	if namespace == "" {
		namespace = cluster.Namespace
	}
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cluster.Name}}
}

func (r *clusterReconciler) newService(cluster *api.VirtinkCluster, owner string) *corev1.Service {
	template := cluster.Spec.ControlPlaneServiceTemplate
	service := r.serviceOf(cluster)
	service.Labels = template.Labels
	service.Annotations = template.Annotations
	service.Spec.Selector = map[string]string{api.ClusterNameLabel: owner, api.ControlPlaneLabel: ""}
	service.Spec.Ports = []corev1.ServicePort{{Port: apiServerPort, TargetPort: intstr.FromInt32(apiServerPort)}}
	if template.Type != nil {
		service.Spec.Type = *template.Type
	}
	return service
}
