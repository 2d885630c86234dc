// Command virt-handler stands in for KubeVirt's own where there is no hypervisor to talk to. On its node it does what
// other controllers depend on: it offers devices, labels the node and reports what becomes of its machines.
package main

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/rest"
	"kubevirt.io/client-go/kubecli"
)

// certificates is where virt-operator's DaemonSet mounts the server's certificate. It may come later than the pod.
const certificates = "/etc/virt-handler/servercertificates"

// serveHealth answers the probes of the DaemonSet.
func serveHealth() error {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	server := http.Server{
		Addr:    ":8443",
		Handler: mux,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(filepath.Join(certificates, "tls.crt"), filepath.Join(certificates, "tls.key"))
			return &pair, err
		}},
	}
	return server.ListenAndServeTLS("", "")
}

func run() error {
	log.Print("virt-handler: a stand-in of the test host, where machines are containers")
	node := os.Getenv("NODE_NAME")
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubecli.GetKubevirtClientFromRESTConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- serveHealth() }()
	go watchMachines(ctx, client, node)
	if err := offerDevices(ctx); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		beat(ctx, client.CoreV1().Nodes(), node)
	}()
	select {
	case err := <-failed:
		return err
	case <-done:
		return nil
	}
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
