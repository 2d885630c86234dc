package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// infrastructure returns a client of the cluster in which machines are made: the one whose kubeconfig a Secret has, or
// this one where there is no reference.
func infrastructure(ctx context.Context, c client.Client, reference *corev1.ObjectReference) (client.Client, error) {
	if reference == nil {
		return c, nil
	}
	var secret corev1.Secret
	if err := c.Get(ctx, client.ObjectKey{Namespace: reference.Namespace, Name: reference.Name}, &secret); err != nil {
		return nil, fmt.Errorf("get infra cluster kubeconfig Secret: %w", err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(secret.Data["kubeconfig"])
	if err != nil {
		return nil, fmt.Errorf("read infra cluster kubeconfig: %w", err)
	}
	return client.New(config, client.Options{Scheme: c.Scheme()})
}
