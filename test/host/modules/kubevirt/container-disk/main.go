// Command container-disk stands in for KubeVirt's own, a C program: it keeps the container of a disk image alive as
// long as its socket exists, and succeeds at once with --no-op. Beside the socket it writes which Kubernetes is in the
// image, since there is no disk to hand over.
package main

import (
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--no-op" {
		return
	}
	if len(os.Args) != 3 || os.Args[1] != "--copy-path" {
		log.Fatal("usage: container-disk --no-op | --copy-path PATH")
	}
	path := os.Args[2] + ".sock"
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		log.Fatal(err)
	}
	if version, err := os.ReadFile("/disk/kubernetes"); err == nil {
		// Before the socket, which tells that the disk is there.
		if err := os.WriteFile(os.Args[2]+".kubernetes", version, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close() // which removes the socket
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
		// virt-launcher-monitor removes the socket when the machine has ended.
		if _, err := os.Stat(path); err != nil {
			return
		}
	}
}
