package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	virtv1 "kubevirt.io/api/core/v1"
	"kubevirt.io/client-go/kubecli"
)

// pods is where the DaemonSet mounts the kubelet's directories of pods: by this short path, for the sake of sockets.
const pods = "/pods"

// watchMachines reports what becomes of the VirtualMachineInstances on this node until ctx ends.
func watchMachines(ctx context.Context, client kubecli.KubevirtClient, node string) {
	here := func(options *metav1.ListOptions) { options.LabelSelector = virtv1.NodeNameLabel + "=" + node }
	source := cache.NewFilteredListWatchFromClient(client.RestClient(), "virtualmachineinstances", metav1.NamespaceAll, here)
	store, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: source,
		ObjectType:    &virtv1.VirtualMachineInstance{},
		Handler:       cache.ResourceEventHandlerFuncs{},
	})
	go informer.RunWithContext(ctx)
	for ctx.Err() == nil {
		for _, object := range store.List() {
			vmi := object.(*virtv1.VirtualMachineInstance).DeepCopy()
			before := vmi.Status.Phase
			if err := report(vmi); err != nil {
				log.Printf("%s/%s: %v", vmi.Namespace, vmi.Name, err)
				continue
			}
			if vmi.Status.Phase == before {
				continue
			}
			_, err := client.VirtualMachineInstance(vmi.Namespace).Update(ctx, vmi, metav1.UpdateOptions{})
			switch {
			case err == nil:
				log.Printf("%s/%s: %s", vmi.Namespace, vmi.Name, vmi.Status.Phase)
			case apierrors.IsConflict(err) || apierrors.IsNotFound(err):
				// The store is behind: the next round has a newer one.
			default:
				log.Printf("%s/%s: %v", vmi.Namespace, vmi.Name, err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// report moves a VirtualMachineInstance on, if its machine has: from Scheduled to Running, from there to its end.
func report(vmi *virtv1.VirtualMachineInstance) error {
	phase := vmi.Status.Phase
	if phase != virtv1.Scheduled && phase != virtv1.Running {
		return nil
	}
	pod, err := podOf(vmi)
	if err != nil {
		return err
	}
	connection, err := net.Dial("unix", filepath.Join(pods, string(pod), "volumes/kubernetes.io~empty-dir/sockets/launcher-sock"))
	switch {
	case err == nil:
		_ = connection.Close()
		if phase == virtv1.Scheduled {
			return start(vmi, pod)
		}
	case phase == virtv1.Scheduled:
		// The machine has not begun. If it never does, virt-controller sees how its pod ends.
	case errors.Is(err, os.ErrNotExist):
		enter(vmi, virtv1.Succeeded)
	default:
		enter(vmi, virtv1.Failed)
	}
	return nil
}

// podOf returns the UID of the pod that runs the machine.
func podOf(vmi *virtv1.VirtualMachineInstance) (types.UID, error) {
	for pod, node := range vmi.Status.ActivePods {
		if node == vmi.Status.NodeName {
			return pod, nil
		}
	}
	return "", fmt.Errorf("no active pod on %s", vmi.Status.NodeName)
}

// start makes a VirtualMachineInstance one that runs.
func start(vmi *virtv1.VirtualMachineInstance, pod types.UID) error {
	addresses, err := addressesOf(pod)
	if err != nil {
		return err
	}
	for _, network := range vmi.Spec.Networks {
		if network.Pod == nil {
			continue
		}
		state := virtv1.VirtualMachineInstanceNetworkInterface{
			Name:             network.Name,
			IP:               addresses[0],
			IPs:              addresses,
			InfoSource:       "domain",
			PodInterfaceName: "eth0",
			QueueCount:       1,
		}
		known := slices.IndexFunc(vmi.Status.Interfaces, func(other virtv1.VirtualMachineInstanceNetworkInterface) bool {
			return other.Name == network.Name
		})
		if known < 0 {
			vmi.Status.Interfaces = append(vmi.Status.Interfaces, state)
		} else {
			vmi.Status.Interfaces[known] = state
		}
	}
	vmi.Status.Conditions = append(slices.DeleteFunc(vmi.Status.Conditions, func(other virtv1.VirtualMachineInstanceCondition) bool {
		return other.Type == virtv1.VirtualMachineInstanceIsMigratable
	}), migratable(vmi))
	enter(vmi, virtv1.Running)
	return nil
}

// addressesOf reads the addresses of a pod from the hosts file that the kubelet writes for it: virt-handler may not
// read pods, and the real one looks into the pod's network.
func addressesOf(pod types.UID) ([]string, error) {
	content, err := os.ReadFile(filepath.Join(pods, string(pod), "etc-hosts"))
	if err != nil {
		return nil, err
	}
	var addresses []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[1], "localhost") || strings.HasPrefix(fields[1], "ip6-") {
			continue
		}
		if address, err := netip.ParseAddr(fields[0]); err == nil {
			addresses = append(addresses, address.String())
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("pod %s has no address yet", pod)
	}
	return addresses, nil
}

// migratable says whether a VirtualMachineInstance could be migrated alive: not if it is bridged to the pod's network.
// A condition without both of its times would break virt-controller's patches.
func migratable(vmi *virtv1.VirtualMachineInstance) virtv1.VirtualMachineInstanceCondition {
	now := metav1.Now()
	condition := virtv1.VirtualMachineInstanceCondition{
		Type:               virtv1.VirtualMachineInstanceIsMigratable,
		Status:             corev1.ConditionTrue,
		LastProbeTime:      now,
		LastTransitionTime: now,
	}
	for _, face := range vmi.Spec.Domain.Devices.Interfaces {
		if face.Masquerade == nil {
			condition.Status = corev1.ConditionFalse
			condition.Reason = virtv1.VirtualMachineInstanceReasonInterfaceNotMigratable
			condition.Message = "cannot migrate VMI which does not use masquerade or a migratable plugin to connect to the pod network"
		}
	}
	return condition
}

func enter(vmi *virtv1.VirtualMachineInstance, phase virtv1.VirtualMachineInstancePhase) {
	vmi.Status.Phase = phase
	vmi.Status.PhaseTransitionTimestamps = append(vmi.Status.PhaseTransitionTimestamps,
		virtv1.VirtualMachineInstancePhaseTransitionTimestamp{Phase: phase, PhaseTransitionTimestamp: metav1.Now()})
}
