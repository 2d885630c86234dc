package main

import (
	"context"
	"encoding/json"
	"log"
	"runtime"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	virtv1 "kubevirt.io/api/core/v1"
)

// beatInterval is the real one's. virt-controller gives up a node that is silent for 5 minutes.
const beatInterval = time.Minute

// machineType is what virt-api fills in for a VM that names none; its pod then needs a node with this label.
func machineType() string {
	if runtime.GOARCH == "arm64" {
		return "virt"
	}
	return "q35"
}

// label marks the node as one that takes VMs, or does not, as of now.
func label(ctx context.Context, nodes corev1client.NodeInterface, node string, schedulable string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"labels": map[string]string{
			virtv1.NodeSchedulable:                           schedulable,
			virtv1.DeprecatedCPUManager:                      "false",
			virtv1.CPUManager:                                "false",
			virtv1.SupportedMachineTypeLabel + machineType(): "true",
		},
		"annotations": map[string]string{virtv1.VirtHandlerHeartbeat: time.Now().UTC().Format(time.RFC3339)},
	}})
	if err != nil {
		return err
	}
	_, err = nodes.Patch(ctx, node, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return err
}

// beat keeps the node schedulable until ctx ends, and marks it unschedulable then.
func beat(ctx context.Context, nodes corev1client.NodeInterface, node string) {
	for ctx.Err() == nil {
		wait := beatInterval
		if err := label(ctx, nodes, node, "true"); err != nil {
			log.Printf("node %s: %v", node, err)
			wait = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := label(last, nodes, node, "false"); err != nil {
		log.Printf("node %s: %v", node, err)
	}
}
