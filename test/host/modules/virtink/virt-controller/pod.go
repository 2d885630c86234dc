package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"knest-action.test/host/virtink/api"
)

// podBuilder gathers the pod of a VirtualMachine. Each init container prepares a volume for the hypervisor's.
type podBuilder struct {
	vm         *api.VirtualMachine
	prerunner  string
	hypervisor corev1.Container
	inits      []corev1.Container
	volumes    []corev1.Volume
}

// newPod returns the pod of a VirtualMachine: init containers for the kernel, then for the volumes in their order, then
// the hypervisor.
func newPod(vm *api.VirtualMachine, prerunner string) (*corev1.Pod, error) {
	b := &podBuilder{vm: vm, prerunner: prerunner, hypervisor: newHypervisor(vm, prerunner)}
	b.addEmptyDir("virtink", "/var/run/virtink")
	b.addEmptyDir("hotplug-volumes", "/hotplug-volumes")
	if kernel := vm.Spec.Instance.Kernel; kernel != nil {
		mount := b.addEmptyDir("virtink-kernel", "/mnt/virtink-kernel")
		b.addInit("init-kernel", api.ContainerImage(*kernel), mount, mount.MountPath+"/vmlinux")
	}
	for _, volume := range vm.Spec.Volumes {
		b.addVolume(volume)
	}
	for _, network := range vm.Spec.Instance.Interfaces {
		if network.Masquerade != nil {
			b.inits = append(b.inits, b.forwarding())
		}
	}
	if err := b.addMachineData(); err != nil {
		return nil, err
	}
	labels := maps.Clone(vm.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["virtink.io/vm.name"] = vm.Name
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   vm.Namespace,
			Name:        vm.Status.VMPodName,
			Labels:      labels,
			Annotations: vm.Annotations,
		},
		Spec: corev1.PodSpec{
			RestartPolicy:  corev1.RestartPolicyNever,
			NodeSelector:   vm.Spec.NodeSelector,
			Tolerations:    vm.Spec.Tolerations,
			Affinity:       vm.Spec.Affinity,
			InitContainers: b.inits,
			Containers:     []corev1.Container{b.hypervisor},
			Volumes:        b.volumes,
		},
	}, nil
}

func newHypervisor(vm *api.VirtualMachine, image string) corev1.Container {
	resources := *vm.Spec.Resources.DeepCopy()
	for _, list := range []*corev1.ResourceList{&resources.Requests, &resources.Limits} {
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		for _, device := range []corev1.ResourceName{"devices.virtink.io/kvm", "devices.virtink.io/tun"} {
			(*list)[device] = resource.MustParse("1")
		}
	}
	return corev1.Container{
		Name:           "cloud-hypervisor",
		Image:          image,
		Resources:      resources,
		LivenessProbe:  vm.Spec.LivenessProbe,
		ReadinessProbe: vm.Spec.ReadinessProbe,
		SecurityContext: &corev1.SecurityContext{
			Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN", "NET_ADMIN", "SYS_RESOURCE"}},
		},
	}
}

func (b *podBuilder) addVolume(volume api.Volume) {
	path := "/mnt/" + volume.Name
	init := "init-volume-" + volume.Name
	switch {
	case volume.ContainerDisk != nil:
		b.addInit(init, *volume.ContainerDisk, b.addEmptyDir(volume.Name, path), path+"/disk.raw")
	case volume.ContainerRootfs != nil:
		size := strconv.FormatInt(volume.ContainerRootfs.Size.Value(), 10)
		b.addInit(init, volume.ContainerRootfs.ContainerImage, b.addEmptyDir(volume.Name, path), path+"/rootfs.raw", size)
	case volume.CloudInit != nil:
		b.addCloudInit(init, *volume.CloudInit, b.addEmptyDir(volume.Name, path))
	case volume.ClaimName() != "":
		source := corev1.PersistentVolumeClaimVolumeSource{ClaimName: volume.ClaimName()}
		b.volumes = append(b.volumes, corev1.Volume{
			Name:         volume.Name,
			VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &source},
		})
		b.mount(corev1.VolumeMount{Name: volume.Name, MountPath: path})
	}
}

func (b *podBuilder) addEmptyDir(name, path string) corev1.VolumeMount {
	source := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
	b.volumes = append(b.volumes, corev1.Volume{Name: name, VolumeSource: source})
	mount := corev1.VolumeMount{Name: name, MountPath: path}
	b.mount(mount)
	return mount
}

func (b *podBuilder) mount(mount corev1.VolumeMount) {
	b.hypervisor.VolumeMounts = append(b.hypervisor.VolumeMounts, mount)
}

func (b *podBuilder) addInit(name string, image api.ContainerImage, mount corev1.VolumeMount, args ...string) {
	b.inits = append(b.inits, corev1.Container{
		Name:            name,
		Image:           image.Image,
		ImagePullPolicy: image.ImagePullPolicy,
		Resources:       b.vm.Spec.Resources,
		Args:            args,
		VolumeMounts:    []corev1.VolumeMount{mount},
	})
}

// addCloudInit has the boot data written: metadata, user data and network data, each in base64.
func (b *podBuilder) addCloudInit(name string, data api.CloudInit, mount corev1.VolumeMount) {
	metadata := encoded(fmt.Sprintf("instance-id: %s\nlocal-hostname: %s", b.vm.UID, b.vm.Name))
	userData := data.UserDataBase64
	if data.UserData != "" {
		userData = encoded(data.UserData)
	}
	networkData := data.NetworkDataBase64
	if data.NetworkData != "" {
		networkData = encoded(data.NetworkData)
	}
	b.inits = append(b.inits, corev1.Container{
		Name:         name,
		Image:        b.prerunner,
		Resources:    b.vm.Spec.Resources,
		Command:      []string{"virt-init-volume"},
		Args:         []string{"cloud-init", metadata, userData, networkData, mount.MountPath + "/cloud-init.iso"},
		VolumeMounts: []corev1.VolumeMount{mount},
	})
}

// forwarding returns the container that a masqueraded interface needs.
func (b *podBuilder) forwarding() corev1.Container {
	isPrivileged := true
	return corev1.Container{
		Name:            "enable-ip-forward",
		Image:           b.prerunner,
		Resources:       b.vm.Spec.Resources,
		SecurityContext: &corev1.SecurityContext{Privileged: &isPrivileged},
		Command:         []string{"sysctl", "-w", "net.ipv4.ip_forward=1"},
	}
}

// addMachineData gives the hypervisor's container the VirtualMachine.
func (b *podBuilder) addMachineData() error {
	text, err := json.Marshal(b.vm)
	if err != nil {
		return err
	}
	b.hypervisor.Env = []corev1.EnvVar{{Name: "VM_DATA", Value: encoded(string(text))}}
	return nil
}

func encoded(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(text))
}
