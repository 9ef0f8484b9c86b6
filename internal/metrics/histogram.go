package metrics

import (
	"bytes"
	"slices"
	"sync"
)

// Histograms count values by their size, one histogram for each pair of values
// of two labels.
type Histograms struct {
	bounds []float64
	of     vector[[2]string, histogram]
}

type histogram struct {
	mu      sync.Mutex
	buckets []uint64 // of values up to each bound, and of larger ones
	sum     float64
}

// Histograms registers histograms. The bounds are the upper ends of the buckets,
// from the least.
func (r *Registry) Histograms(name, help string, labels [2]string, bounds ...float64) *Histograms {
	h := &Histograms{bounds: bounds}
	r.add(func(b *bytes.Buffer) {
		head(b, name, "histogram", help)
		for _, values := range h.of.keys(func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }) {
			h.write(b, name, []string{labels[0], values[0], labels[1], values[1]}, h.of.at(values))
		}
	})
	return h
}

// Observe counts a value.
func (h *Histograms) Observe(first, second string, value float64) {
	i, _ := slices.BinarySearch(h.bounds, value)
	one := h.of.at([2]string{first, second})
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.buckets == nil {
		one.buckets = make([]uint64, len(h.bounds)+1)
	}
	one.buckets[i]++
	one.sum += value
}

func (h *Histograms) write(b *bytes.Buffer, name string, labels []string, one *histogram) {
	one.mu.Lock()
	buckets, sum := slices.Clone(one.buckets), one.sum
	one.mu.Unlock()
	var count uint64
	for i, n := range buckets {
		count += n
		bound := "+Inf"
		if i < len(h.bounds) {
			bound = number(h.bounds[i])
		}
		line(b, name+"_bucket", float64(count), append(slices.Clone(labels), "le", bound)...)
	}
	line(b, name+"_sum", sum, labels...)
	line(b, name+"_count", float64(count), labels...)
}
