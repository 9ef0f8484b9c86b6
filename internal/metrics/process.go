package metrics

import (
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
)

// Process registers what is known of this process and of Go's runtime, under the
// names that Prometheus's own library has for it.
func (r *Registry) Process() {
	r.add(writeRuntime)
	r.add(func(b *bytes.Buffer) {
		for _, m := range processMetrics("/proc/self", "/proc/stat") {
			write(b, m)
		}
	})
}

type metric struct {
	name, kind, help string
	value            float64
}

func write(b *bytes.Buffer, m metric) {
	head(b, m.name, m.kind, m.help)
	line(b, m.name, m.value)
}

func writeRuntime(b *bytes.Buffer) {
	head(b, "go_info", "gauge", "The version of Go.")
	line(b, "go_info", 1, "version", runtime.Version())
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	const pauses = "go_gc_duration_seconds"
	head(b, pauses, "summary", "Pauses of the garbage collector.")
	line(b, pauses+"_sum", float64(m.PauseTotalNs)/1e9)
	line(b, pauses+"_count", float64(m.NumGC))
	for _, m := range []metric{
		{"go_goroutines", "gauge", "Goroutines that exist.", float64(runtime.NumGoroutine())},
		{"go_threads", "gauge", "Threads that were created.", float64(pprof.Lookup("threadcreate").Count())},
		{"go_memstats_alloc_bytes", "gauge", "Bytes allocated in the heap, in use.", float64(m.Alloc)},
		{"go_memstats_alloc_bytes_total", "counter", "Bytes ever allocated in the heap.", float64(m.TotalAlloc)},
		{"go_memstats_mallocs_total", "counter", "Objects ever allocated in the heap.", float64(m.Mallocs)},
		{"go_memstats_frees_total", "counter", "Objects ever freed.", float64(m.Frees)},
		{"go_memstats_sys_bytes", "gauge", "Bytes taken from the system.", float64(m.Sys)},
		{"go_memstats_heap_alloc_bytes", "gauge", "Bytes allocated in the heap, in use.", float64(m.HeapAlloc)},
		{"go_memstats_heap_inuse_bytes", "gauge", "Bytes of the heap that are in use.", float64(m.HeapInuse)},
		{"go_memstats_heap_idle_bytes", "gauge", "Bytes of the heap that wait for use.", float64(m.HeapIdle)},
		{"go_memstats_heap_released_bytes", "gauge", "Bytes given back to the system.", float64(m.HeapReleased)},
		{"go_memstats_heap_sys_bytes", "gauge", "Bytes of the heap taken from the system.", float64(m.HeapSys)},
		{"go_memstats_heap_objects", "gauge", "Objects in the heap.", float64(m.HeapObjects)},
		{"go_memstats_stack_inuse_bytes", "gauge", "Bytes of stacks in use.", float64(m.StackInuse)},
		{"go_memstats_next_gc_bytes", "gauge", "Size of the heap at the next collection.", float64(m.NextGC)},
		{"go_memstats_last_gc_time_seconds", "gauge", "When the last collection ended.", float64(m.LastGC) / 1e9},
	} {
		write(b, m)
	}
}

// ticks is the number of clock ticks per second in /proc, on every system.
const ticks = 100

// processMetrics reads what Linux says of a process. Elsewhere there is nothing.
func processMetrics(proc, system string) (all []metric) {
	add := func(name, kind, help string, value float64) { all = append(all, metric{name, kind, help, value}) }
	if f := fields(proc + "/stat"); len(f) > 21 {
		add("process_cpu_seconds_total", "counter", "Processor time, of the program and for it.", (f[11]+f[12])/ticks)
		add("process_virtual_memory_bytes", "gauge", "Virtual memory.", f[20])
		add("process_resident_memory_bytes", "gauge", "Resident memory.", f[21]*float64(os.Getpagesize()))
		if booted, ok := word(system, "btime "); ok {
			add("process_start_time_seconds", "gauge", "When the process started.", booted+f[19]/ticks)
		}
	}
	if open, err := os.ReadDir(proc + "/fd"); err == nil {
		add("process_open_fds", "gauge", "Open file descriptors.", float64(len(open)))
	}
	if most, ok := word(proc+"/limits", "Max open files "); ok {
		add("process_max_fds", "gauge", "Most file descriptors that may be open.", most)
	}
	return all
}

// fields returns the numbers of a stat file from the state on, which is none.
// The name before it may contain anything.
func fields(file string) (numbers []float64) {
	text, _ := os.ReadFile(file)
	_, rest, _ := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	for _, f := range strings.Fields(string(rest)) {
		n, _ := strconv.ParseFloat(f, 64)
		numbers = append(numbers, n)
	}
	return numbers
}

// word returns the number after the words that a line begins with.
func word(file, begins string) (float64, bool) {
	text, _ := os.ReadFile(file)
	for l := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(l, begins)
		if f := strings.Fields(rest); ok && len(f) > 0 {
			n, err := strconv.ParseFloat(f[0], 64)
			return n, err == nil
		}
	}
	return 0, false
}
