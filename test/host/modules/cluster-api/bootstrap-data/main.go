// Command bootstrap-data makes what the kubeadm bootstrap provider of Cluster API makes for the first control plane of a
// cluster, with the provider's own code and without an API server: the user data of its machine, and a kubeconfig.
// It reads a KubeadmConfigSpec from standard input.
package main

import (
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/blang/semver/v4"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/cluster-api/api/bootstrap/kubeadm/v1beta2"
	"sigs.k8s.io/cluster-api/bootstrap/kubeadm/pkg/cloudinit"
	"sigs.k8s.io/cluster-api/bootstrap/kubeadm/pkg/types"
	"sigs.k8s.io/cluster-api/bootstrap/kubeadm/pkg/types/upstream"
	"sigs.k8s.io/cluster-api/util/certs"
	"sigs.k8s.io/cluster-api/util/kubeconfig"
	"sigs.k8s.io/cluster-api/util/secret"
	"sigs.k8s.io/yaml"
)

var (
	name     = flag.String("cluster", "", "name of the cluster")
	version  = flag.String("kubernetes-version", "", "version of Kubernetes, with a leading v")
	pods     = flag.String("pods", "", "CIDR of the pods")
	services = flag.String("services", "", "CIDR of the Services")
	server   = flag.String("server", "", "URL of the API server in the kubeconfig")
	output   = flag.String("output", "", "directory for user_data and kubeconfig")
)

func main() {
	flag.Parse()
	var spec v1beta2.KubeadmConfigSpec
	must(yaml.UnmarshalStrict(must1(io.ReadAll(os.Stdin)), &spec))
	certificates := secret.NewCertificatesForInitialControlPlane(&spec.ClusterConfiguration)
	must(certificates.Generate())
	write("user_data", userData(spec, certificates))
	write("kubeconfig", adminKubeconfig(certificates.GetByPurpose(secret.ClusterCA)))
}

func userData(spec v1beta2.KubeadmConfigSpec, certificates secret.Certificates) []byte {
	parsed := must1(semver.ParseTolerant(*version))
	network := &upstream.AdditionalData{
		ClusterName:       name,
		KubernetesVersion: version,
		PodSubnet:         pods,
		ServiceSubnet:     services,
	}
	return must1(cloudinit.NewInitControlPlane(&cloudinit.ControlPlaneInput{
		BaseUserData: cloudinit.BaseUserData{
			AdditionalFiles:     spec.Files,
			BootCommands:        spec.BootCommands,
			PreKubeadmCommands:  spec.PreKubeadmCommands,
			PostKubeadmCommands: spec.PostKubeadmCommands,
			Users:               spec.Users,
			Mounts:              spec.Mounts,
			KubernetesVersion:   parsed,
		},
		ClusterConfiguration: must1(types.MarshalClusterConfigurationForVersion(&spec.ClusterConfiguration, parsed, network)),
		InitConfiguration:    must1(types.MarshalInitConfigurationForVersion(&spec.InitConfiguration, parsed)),
		Certificates:         certificates,
	}))
}

func adminKubeconfig(authority *secret.Certificate) []byte {
	certificate := must1(certs.DecodeCertPEM(authority.KeyPair.Cert))
	key := must1(certs.DecodePrivateKeyPEM(authority.KeyPair.Key))
	return must1(clientcmd.Write(*must1(kubeconfig.New(*name, *server, certificate, key))))
}

func write(file string, data []byte) {
	must(os.WriteFile(filepath.Join(*output, file), data, 0o600))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must1[T any](value T, err error) T {
	must(err)
	return value
}
