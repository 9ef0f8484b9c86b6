package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Every setting that packages, the image and the manifests name is one of the
// service's.
func TestDeployedSettings(t *testing.T) {
	known := map[string]bool{}
	serveCommand(&process{}).Flags().VisitAll(func(f *pflag.Flag) { known[variable(f.Name)] = true })
	name := regexp.MustCompile(`ROLLCALL_[A-Z_]+`)
	found := 0
	for _, pattern := range []string{"packaging/files/*", "packaging/*.go", "deploy/kubernetes/*",
		"deploy/helm/rollcall/*.yaml", "deploy/helm/rollcall/templates/*"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range name.FindAllString(string(text), -1) {
				if found++; !known[v] {
					t.Errorf("%s: 'rollcall serve' has no setting %s", file, v)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d settings were found", found)
	}
}

// manifest holds the checked members of a Kubernetes object.
type manifest struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				SecurityContext map[string]any `yaml:"securityContext"`
				Containers      []map[string]any
			}
		}
	}
}

func TestKubernetesManifest(t *testing.T) {
	file, err := os.Open("../../deploy/kubernetes/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var kinds []string
	for d := yaml.NewDecoder(file); ; {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if kinds = append(kinds, m.Kind); m.Kind != "Deployment" {
			continue
		}
		pod := m.Spec.Template.Spec
		if pod.SecurityContext["runAsNonRoot"] != true || len(pod.Containers) != 1 {
			t.Errorf("the pod runs as %v, with %d containers", pod.SecurityContext, len(pod.Containers))
		}
		for _, c := range pod.Containers {
			for _, probe := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
				if c[probe] == nil {
					t.Errorf("there is no %s", probe)
				}
			}
			if s, _ := c["securityContext"].(map[string]any); s["readOnlyRootFilesystem"] != true {
				t.Errorf("the root file system can be written: %v", s)
			}
		}
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("there is no %s among %s", kind, strings.Join(kinds, ", "))
		}
	}
}
