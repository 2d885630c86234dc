// Command pause does nothing until it is told to stop. It holds a pod's namespaces, and stands in for
// side cars the tests have no use for, such as kube-rbac-proxy.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	// As PID 1 of a shared PID namespace it inherits orphans: ignoring SIGCHLD lets the kernel reap them.
	signal.Ignore(syscall.SIGCHLD)
	<-stop
}
