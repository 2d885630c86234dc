// Package standin starts the programs that stand in for Virtink's.
package standin

import (
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"knest-action.test/host/virtink/api"
)

// Run starts the stand-in for `upstream` with what `setUp` adds to its manager, and returns when it is told to stop. It
// takes the flags that the manifests of the real program give.
func Run(upstream, leaderElectionID string, setUp func(ctrl.Manager) error) {
	if err := run(upstream, leaderElectionID, setUp); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(upstream, leaderElectionID string, setUp func(ctrl.Manager) error) error {
	probes := flag.String("health-probe-bind-address", "0", "where probes are answered")
	flag.String("metrics-bind-address", "", "ignored: a stand-in has no metrics")
	elect := flag.Bool("leader-elect", false, "whether to wait until it is the only one at work")
	options := zap.Options{}
	options.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&options)))
	log := ctrl.Log.WithName("stand-in")
	log.Info("this is a stand-in of knest-action's tests, not the real program", "upstream", upstream)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, api.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:                        scheme,
		HealthProbeBindAddress:        *probes,
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		LeaderElection:                *elect && leaderElectionID != "",
		LeaderElectionID:              leaderElectionID,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return err
	}
	if err := setUp(manager); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
