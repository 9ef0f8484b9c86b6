// Package metrics counts what a program does and writes the figures in
// Prometheus's text format. Prometheus's own library does more, and takes a
// tenth of the time in which 'rollcall dev' starts.
package metrics

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Registry holds the metrics of a program. It is safe for concurrent use. A nil
// Registry registers nothing.
type Registry struct {
	mu     sync.Mutex
	groups []func(*bytes.Buffer) // each writes its lines
}

func (r *Registry) add(write func(*bytes.Buffer)) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups = append(r.groups, write)
}

// ContentType is the type of what WriteTo writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// WriteTo writes all metrics as they are now.
func (r *Registry) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	groups := slices.Clone(r.groups)
	r.mu.Unlock()
	var b bytes.Buffer
	for _, write := range groups {
		write(&b)
	}
	return b.WriteTo(w)
}

// head begins the lines of a metric.
func head(b *bytes.Buffer, name, kind, help string) {
	b.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// line writes one value. labels are names and values by turns.
func line(b *bytes.Buffer, name string, value float64, labels ...string) {
	b.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + number(value) + "\n")
}

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Gauge is a number that goes up and down.
type Gauge struct{ n atomic.Int64 }

// Gauge registers a gauge.
func (r *Registry) Gauge(name, help string) *Gauge {
	g := &Gauge{}
	r.add(func(b *bytes.Buffer) {
		head(b, name, "gauge", help)
		line(b, name, float64(g.n.Load()))
	})
	return g
}

// Add changes the gauge by n.
func (g *Gauge) Add(n int64) { g.n.Add(n) }

// Counters are numbers that only go up, one for each value of a label.
type Counters struct{ byValue vector[string, atomic.Uint64] }

// Counters registers counters.
func (r *Registry) Counters(name, help, label string) *Counters {
	c := &Counters{}
	r.add(func(b *bytes.Buffer) {
		head(b, name, "counter", help)
		for _, value := range c.byValue.keys(strings.Compare) {
			line(b, name, float64(c.byValue.at(value).Load()), label, value)
		}
	})
	return c
}

// Add counts one more for a value of the label.
func (c *Counters) Add(value string) { c.byValue.at(value).Add(1) }

// vector holds one T for each key that was asked for.
type vector[K comparable, T any] struct {
	mu sync.RWMutex
	of map[K]*T
}

func (v *vector[K, T]) at(key K) *T {
	v.mu.RLock()
	t := v.of[key]
	v.mu.RUnlock()
	if t != nil {
		return t
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of == nil {
		v.of = map[K]*T{}
	}
	if v.of[key] == nil {
		v.of[key] = new(T)
	}
	return v.of[key]
}

func (v *vector[K, T]) keys(compare func(a, b K) int) []K {
	v.mu.RLock()
	defer v.mu.RUnlock()
	keys := make([]K, 0, len(v.of))
	for k := range v.of {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}
