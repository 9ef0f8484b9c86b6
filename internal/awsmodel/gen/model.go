package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// model is the part of a service-2.json that the server needs.
type model struct {
	Metadata struct {
		APIVersion   string `json:"apiVersion"`
		XMLNamespace string `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]*shape    `json:"shapes"`
}

type operation struct {
	Name   string `json:"name"`
	Input  *ref   `json:"input"`
	Output *ref   `json:"output"`
	Errors []ref  `json:"errors"`
}

type ref struct {
	Shape        string `json:"shape"`
	LocationName string `json:"locationName"`
	Flattened    bool   `json:"flattened"`
}

type shape struct {
	Type      string       `json:"type"`
	Members   members      `json:"members"`
	Required  []string     `json:"required"`
	Member    *ref         `json:"member"`
	Key       *ref         `json:"key"`
	Value     *ref         `json:"value"`
	Min       *json.Number `json:"min"`
	Max       *json.Number `json:"max"`
	Pattern   string       `json:"pattern"`
	Enum      []string     `json:"enum"`
	Sensitive bool         `json:"sensitive"`
	Union     bool         `json:"union"`
	Flattened bool         `json:"flattened"`
	Exception bool         `json:"exception"`
	Fault     bool         `json:"fault"`
	Error     struct {
		Code       string `json:"code"`
		HTTPStatus int    `json:"httpStatusCode"`
	} `json:"error"`
}

// members keeps the order of the model, which encoding/json's maps lose.
type members []member

type member struct {
	Name string
	ref
}

func (m *members) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		next := member{Name: name.(string)}
		if err := dec.Decode(&next.ref); err != nil {
			return err
		}
		*m = append(*m, next)
	}
	return nil
}

// add merges a newer model: new operations and shapes, and new members of known
// structures. It returns an error for anything that m has already, so that
// additions are removed when botocore catches up.
func (m *model) add(newer *model) error {
	for name, op := range newer.Operations {
		if _, ok := m.Operations[name]; ok {
			return fmt.Errorf("operation %s is known: drop it from the additions", name)
		}
		m.Operations[name] = op
	}
	for name, s := range newer.Shapes {
		known, ok := m.Shapes[name]
		if !ok {
			m.Shapes[name] = s
			continue
		}
		for _, added := range s.Members {
			if slices.ContainsFunc(known.Members, func(k member) bool { return k.Name == added.Name }) {
				return fmt.Errorf("member %s.%s is known: drop it from the additions", name, added.Name)
			}
			known.Members = append(known.Members, added)
		}
		known.Required = append(known.Required, s.Required...)
		for _, value := range s.Enum {
			if slices.Contains(known.Enum, value) {
				return fmt.Errorf("value %s of %s is known: drop it from the additions", value, name)
			}
			known.Enum = append(known.Enum, value)
		}
	}
	return nil
}

// keep drops all operations but those of these names, and the errors of the others.
func (m *model) keep(names []string) {
	kept := map[string]bool{}
	for name, op := range m.Operations {
		if !slices.Contains(names, name) {
			delete(m.Operations, name)
			continue
		}
		for _, e := range op.Errors {
			kept[e.Shape] = true
		}
	}
	for name, s := range m.Shapes {
		s.Exception = s.Exception && kept[name]
	}
}

// write prints the model, one line each for the service, its operations, its
// errors and the shapes that operations reach. parse.go of the parent package
// describes the lines.
func (m *model) write(w io.Writer, service string) error {
	_, _ = fmt.Fprintf(w, "service %s %s %s\n", service, m.Metadata.APIVersion, cmp.Or(m.Metadata.XMLNamespace, "-"))
	reached := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		op := m.Operations[name]
		in, out := "-", "-"
		if op.Input != nil {
			in = op.Input.Shape
			m.reach(in, reached)
		}
		if op.Output != nil {
			out = op.Output.Shape
			m.reach(out, reached)
		}
		_, _ = fmt.Fprintf(w, "op %s %s %s\n", name, in, out)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Shapes)) {
		s := m.Shapes[name]
		if !s.Exception {
			continue
		}
		// A fault without the trait is sent under its shape's name with 400.
		code, status := name, 400
		if s.Fault {
			status = 500
		}
		if s.Error.Code != "" {
			code, status = s.Error.Code, s.Error.HTTPStatus
		}
		_, _ = fmt.Fprintf(w, "error %s %d %s\n", code, status, name)
	}
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		line, err := m.Shapes[name].line(name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w, line)
	}
	return nil
}

func (m *model) reach(name string, reached map[string]bool) {
	if reached[name] {
		return
	}
	reached[name] = true
	s := m.Shapes[name]
	for _, next := range s.Members {
		m.reach(next.Shape, reached)
	}
	for _, next := range []*ref{s.Member, s.Key, s.Value} {
		if next != nil {
			m.reach(next.Shape, reached)
		}
	}
}

func (s *shape) line(name string) (string, error) {
	words := []string{s.Type, name}
	if s.Min != nil || s.Max != nil {
		words = append(words, number(s.Min)+".."+number(s.Max))
	}
	if s.Sensitive {
		words = append(words, "sensitive")
	}
	if s.Flattened || s.Union && s.Type != "structure" {
		return "", fmt.Errorf("shape %s has a trait this program does not know", name)
	}
	switch s.Type {
	case "structure":
		if s.Union {
			words = append(words, "union")
		}
		for _, next := range s.Members {
			if next.LocationName != "" || next.Flattened {
				return "", fmt.Errorf("member %s.%s has a trait this program does not know", name, next.Name)
			}
			mark := ":"
			if slices.Contains(s.Required, next.Name) {
				mark = "!"
			}
			words = append(words, next.Name+mark+next.Shape)
		}
	case "list":
		words = append(words, s.Member.Shape)
	case "map":
		words = append(words, s.Key.Shape, s.Value.Shape)
	}
	if len(s.Enum) > 0 {
		words = append(words, "{"+strings.Join(s.Enum, "|")+"}")
	}
	if s.Pattern != "" {
		words = append(words, "/"+s.Pattern)
	}
	return strings.Join(words, " "), nil
}

// number prints a limit. Models have some as floating point, such as 1.0E+2.
func number(n *json.Number) string {
	if n == nil {
		return ""
	}
	if f, err := n.Float64(); err == nil {
		return strconv.FormatInt(int64(f), 10)
	}
	return n.String()
}
