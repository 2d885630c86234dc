package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pluginapi "kubevirt.io/kubevirt/pkg/virt-handler/device-manager/deviceplugin/v1beta1"
)

// deviceCount is how many of each the real one offers.
const deviceCount = 1000

// plugin offers devices of one name to the kubelet. A machine in a container is privileged and needs none of them.
type plugin struct {
	ctx context.Context
}

func (plugin) GetDevicePluginOptions(context.Context, *pluginapi.Empty) (*pluginapi.DevicePluginOptions, error) {
	return &pluginapi.DevicePluginOptions{}, nil
}

func (p plugin) ListAndWatch(_ *pluginapi.Empty, stream pluginapi.DevicePlugin_ListAndWatchServer) error {
	devices := make([]*pluginapi.Device, deviceCount)
	for i := range devices {
		devices[i] = &pluginapi.Device{ID: fmt.Sprint(i), Health: pluginapi.Healthy}
	}
	if err := stream.Send(&pluginapi.ListAndWatchResponse{Devices: devices}); err != nil {
		return err
	}
	select {
	case <-p.ctx.Done():
		return stream.Send(&pluginapi.ListAndWatchResponse{})
	case <-stream.Context().Done():
		return nil
	}
}

func (plugin) Allocate(_ context.Context, request *pluginapi.AllocateRequest) (*pluginapi.AllocateResponse, error) {
	response := &pluginapi.AllocateResponse{}
	for range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, &pluginapi.ContainerAllocateResponse{})
	}
	return response, nil
}

func (plugin) PreStartContainer(context.Context, *pluginapi.PreStartContainerRequest) (*pluginapi.PreStartContainerResponse, error) {
	return &pluginapi.PreStartContainerResponse{}, nil
}

// offer serves one plugin and registers it with the kubelet.
func offer(ctx context.Context, name string) error {
	socket := "kubevirt-" + name + ".sock"
	path := filepath.Join(pluginapi.DevicePluginPath, socket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	pluginapi.RegisterDevicePluginServer(server, plugin{ctx})
	go func() {
		if err := server.Serve(listener); err != nil {
			log.Printf("device %s: %v", name, err)
		}
	}()
	connection, err := grpc.NewClient("unix://"+pluginapi.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = pluginapi.NewRegistrationClient(connection).Register(ctx, &pluginapi.RegisterRequest{
		Version:      pluginapi.Version,
		Endpoint:     socket,
		ResourceName: "devices.kubevirt.io/" + name,
	})
	return err
}

// offerDevices offers the devices that pods of VMs ask for.
func offerDevices(ctx context.Context) error {
	for _, name := range []string{"kvm", "tun", "vhost-net"} {
		if err := offer(ctx, name); err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
	}
	return nil
}
