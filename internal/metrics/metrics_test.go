package metrics

import (
	"bytes"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dto "github.com/prometheus/client_model/go"
)

// parsed returns the metrics as Prometheus's own library reads them.
func parsed(t *testing.T, r *Registry) map[string]*dto.MetricFamily {
	t.Helper()
	var text bytes.Buffer
	if _, err := r.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(bytes.NewReader(text.Bytes())).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %+v in\n%s", err, problems, text.String())
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestText(t *testing.T) {
	r := &Registry{}
	gauge := r.Gauge("calls_in_flight", "Calls being answered.")
	counters := r.Counters("errors_total", `Errors, by a code.`, "code")
	histograms := r.Histograms("call_duration_seconds", "Time of calls.", [2]string{"action", "status"}, .5, 1, 10)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				gauge.Add(2)
				gauge.Add(-1)
				counters.Add("Throttling")
				histograms.Observe("GetUser", "200", .5)
			}
		})
	}
	all.Wait()
	const odd = "a \"b\" \\ c\nd"
	counters.Add(odd)
	histograms.Observe("GetUser", "200", 2)
	histograms.Observe("GetUser", "200", 11)
	histograms.Observe("GetUser", "404", .25)

	got := parsed(t, r)
	if v := got["calls_in_flight"].Metric[0].Gauge.GetValue(); v != 8000 {
		t.Errorf("the gauge is %v", v)
	}
	values := map[string]float64{}
	for _, m := range got["errors_total"].Metric {
		values[m.Label[0].GetValue()] = m.Counter.GetValue()
	}
	if len(values) != 2 || values["Throttling"] != 8000 || values[odd] != 1 {
		t.Errorf("the counters are %v", values)
	}
	of := got["call_duration_seconds"].Metric
	if len(of) != 2 || of[0].Label[1].GetValue() != "200" || of[1].Label[1].GetValue() != "404" {
		t.Fatalf("the histograms are %v", of)
	}
	h := of[0].Histogram
	if h.GetSampleCount() != 8002 || h.GetSampleSum() != 4013 {
		t.Errorf("%d values with a sum of %v", h.GetSampleCount(), h.GetSampleSum())
	}
	want := []struct {
		bound float64
		count uint64
	}{{.5, 8000}, {1, 8000}, {10, 8001}, {math.Inf(1), 8002}}
	for i, b := range h.Bucket {
		if b.GetUpperBound() != want[i].bound || b.GetCumulativeCount() != want[i].count {
			t.Errorf("bucket %d is %v, want %v", i, b, want[i])
		}
	}
}

// TestProcess compares the figures of this process with what is known of it.
func TestProcess(t *testing.T) {
	r := &Registry{}
	r.Process()
	got := parsed(t, r)
	value := func(name string) float64 {
		t.Helper()
		f := got[name]
		if f == nil {
			t.Errorf("there is no %s", name)
			return math.NaN()
		}
		m := f.Metric[0]
		return m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for name, bounds := range map[string][2]float64{
		"go_goroutines":                 {2, 1000},
		"go_threads":                    {1, 1000},
		"go_memstats_heap_alloc_bytes":  {100e3, 100e6},
		"process_open_fds":              {float64(len(open)) - 2, float64(len(open)) + 2},
		"process_max_fds":               {float64(len(open)), 1e10},
		"process_cpu_seconds_total":     {0, 600},
		"process_resident_memory_bytes": {1e6, 10e9},
		"process_virtual_memory_bytes":  {10e6, 1e14},
		"process_start_time_seconds":    {float64(time.Now().Unix() - 600), float64(time.Now().Unix() + 2)},
	} {
		if v := value(name); !(v >= bounds[0] && v <= bounds[1]) {
			t.Errorf("%s is %v, want %v to %v", name, v, bounds[0], bounds[1])
		}
	}
	version := got["go_info"].GetMetric()[0].Label[0].GetValue()
	if !strings.HasPrefix(version, "go1.") && !strings.HasPrefix(version, "devel") {
		t.Errorf("the version is %q", version)
	}
}

// A process may have any name.
func TestOddName(t *testing.T) {
	dir := t.TempDir()
	stat := "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 9 0 6000 4096000 10 18446744073709551615\n"
	if err := os.WriteFile(dir+"/stat", []byte(stat), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/system", []byte("cpu 1 2\nbtime 1000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range processMetrics(dir, dir+"/system") {
		got[m.name] = m.value
	}
	if got["process_cpu_seconds_total"] != 3 || got["process_start_time_seconds"] != 1060 ||
		got["process_virtual_memory_bytes"] != 4096000 ||
		got["process_resident_memory_bytes"] != 10*float64(os.Getpagesize()) {
		t.Errorf("%v", got)
	}
}
