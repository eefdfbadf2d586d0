// Reads a PodMonitor as the Prometheus Operator's own type; fails if it has a field that the type has not.
package main

import (
	"io"
	"log"
	"os"

	v1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	log.SetFlags(0)
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var one v1.PodMonitor
	if err := yaml.UnmarshalStrict(text, &one); err != nil {
		log.Fatal(err)
	}
	if len(one.Spec.PodMetricsEndpoints) == 0 || len(one.Spec.Selector.MatchLabels) == 0 {
		log.Fatal("it selects nothing, or asks for nothing")
	}
}
