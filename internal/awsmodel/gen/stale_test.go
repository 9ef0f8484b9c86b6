package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The file contains its additions. 'make generate' writes it.
func TestModelHasTheAdditions(t *testing.T) {
	text, err := os.ReadFile("../model.txt")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("newer.json")
	if err != nil {
		t.Fatal(err)
	}
	additions := map[string]*model{}
	if err := json.Unmarshal(data, &additions); err != nil {
		t.Fatal(err)
	}
	for service, m := range additions {
		_, part, _ := strings.Cut(string(text), "\nservice "+service+" ")
		part, _, _ = strings.Cut(part, "\nservice ")
		for name := range m.Operations {
			if !strings.Contains(part, "\nop "+name+" ") {
				t.Errorf("model.txt has no operation %s of newer.json", name)
			}
		}
		for name, s := range m.Shapes {
			line := regexp.MustCompile(`(?m)^structure ` + name + ` .*$`).FindString(part)
			for _, member := range s.Members {
				if !regexp.MustCompile(" " + member.Name + "[:!]").MatchString(line) {
					t.Errorf("model.txt has no member %s of %s in newer.json", member.Name, name)
				}
			}
		}
	}
}
