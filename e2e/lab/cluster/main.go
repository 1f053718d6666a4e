// Command cluster is a whole Kubernetes cluster in one program: the first argument names the component to run.
//
// One program is built and linked once, so a test machine pays for the Kubernetes libraries a single time.
// The file may also be reached through a link named like a component (kubectl -> cluster).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func commands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"kube-apiserver":          apiserver.NewAPIServerCommand,
		"kube-controller-manager": controllers.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		"kube-proxy":              proxy.NewProxyCommand,
		"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
		"kubectl":                 kubectl.NewDefaultKubectlCommand,
	}
}

// component finds which part to run and leaves its own arguments in os.Args.
func component() string {
	name := filepath.Base(os.Args[0])
	if _, known := commands()[name]; known {
		return name
	}
	if len(os.Args) < 2 {
		return ""
	}
	name = os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	return name
}

func main() {
	name := component()
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	command, known := commands()[name]
	if !known {
		names := []string{"etcd"}
		for known := range commands() {
			names = append(names, known)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: cluster %s [ARGUMENT...]\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	os.Exit(cli.Run(command()))
}
