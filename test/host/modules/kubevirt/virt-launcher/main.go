// Command virt-launcher stands in for KubeVirt's own where there is no hypervisor to launch: it boots a machine that is
// a container, below the real virt-launcher-monitor. The machine has the node's /usr, by a policy of the test host.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// nodeUsr is where the policy mounts the node's /usr: at /usr it would hide this program.
	nodeUsr = "/knest/node-usr"
	// configDrive is the directory that boot reads, in place of the drive that the real one attaches.
	configDrive = "/knest/cloud-init"
	// privateDirectory and the paths below are KubeVirt's own.
	privateDirectory = "/var/run/kubevirt-private"
	ephemeralDisks   = "/var/run/kubevirt-ephemeral-disks"
	// containerDisks is where the container of each disk image has its socket.
	containerDisks = "/var/run/kubevirt/container-disks"
	// commandSocket accepts connections while the machine runs. virt-handler watches it.
	commandSocket = "/var/run/kubevirt/sockets/launcher-sock"
)

// machine is what virt-controller says about the VirtualMachineInstance on the command line.
type machine struct {
	name, namespace, uid string
}

// parse reads the arguments that a machine in a container needs, and ignores all others.
func parse(arguments []string) machine {
	values := map[string]string{}
	for i := 0; i+1 < len(arguments); i++ {
		values[arguments[i]] = arguments[i+1]
	}
	return machine{name: values["--name"], namespace: values["--namespace"], uid: values["--uid"]}
}

// writeConfigDrive puts cloud-init's data where boot looks for it. The instance ID is that of KubeVirt's ConfigDrive.
func (m machine) writeConfigDrive() error {
	if err := os.MkdirAll(configDrive, 0o700); err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	metadata := fmt.Sprintf("instance-id: %s.%s\nlocal-hostname: %s\n", m.name, m.namespace, hostname)
	if err := os.WriteFile(filepath.Join(configDrive, "meta-data"), []byte(metadata), 0o600); err != nil {
		return err
	}
	// A file for each volume of a VM with cloud-init data in a Secret. There is one at most.
	files, err := filepath.Glob(filepath.Join(privateDirectory, "secret", "*", "userdata"))
	if err != nil {
		return err
	}
	var userData []byte
	if len(files) > 0 {
		if userData, err = os.ReadFile(files[0]); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(configDrive, "user-data"), userData, 0o600)
}

// kubernetes waits for the disk of the machine, as virt-handler does before it launches one, and returns which Kubernetes
// is on it: blank for a disk that does not tell.
func kubernetes() string {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if sockets, _ := filepath.Glob(filepath.Join(containerDisks, "*.sock")); len(sockets) > 0 {
			break
		}
	}
	files, _ := filepath.Glob(filepath.Join(containerDisks, "*.kubernetes"))
	if len(files) == 0 {
		return ""
	}
	version, _ := os.ReadFile(files[0])
	return string(version)
}

// openConsole opens the file whose lines the container guest-console-log shows.
func (m machine) openConsole() (*os.File, error) {
	directory := filepath.Join(privateDirectory, m.uid)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(directory, "virt-serial0-log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
}

// run boots the machine and waits for its end. It returns the machine's exit code.
func (m machine) run() (int, error) {
	if err := syscall.Mount(nodeUsr, "/usr", "", syscall.MS_BIND, ""); err != nil {
		return 0, fmt.Errorf("mount %s on /usr: %w", nodeUsr, err)
	}
	if err := m.writeConfigDrive(); err != nil {
		return 0, err
	}
	console, err := m.openConsole()
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("unix", commandSocket)
	if err != nil {
		return 0, err
	}
	// A socket that is gone is a machine that was shut down; one that refuses is a machine that crashed.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = connection.Close()
		}
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	boot := exec.Command("/knest/boot")
	boot.Stdout, boot.Stderr = console, console
	boot.Env = append(os.Environ(), "KNEST_CLOUD_INIT="+configDrive, "KNEST_DISK="+ephemeralDisks, "KNEST_KUBERNETES="+kubernetes())
	if err := boot.Start(); err != nil {
		return 0, err
	}
	go func() {
		for range stop {
			log.Print("stopping the machine")
			_ = boot.Process.Signal(syscall.SIGTERM)
		}
	}()
	err = boot.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	// A hypervisor that ends takes its guest along: every process but this one and its parent.
	_ = syscall.Kill(-1, syscall.SIGKILL)
	code := boot.ProcessState.ExitCode()
	if code == 0 {
		return 0, os.Remove(commandSocket)
	}
	return max(code, 1), nil
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.Print("virt-launcher: a stand-in of the test host, which boots the machine as a container")
	code, err := parse(os.Args[1:]).run()
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("the machine has ended with %d", code)
	os.Exit(code)
}
