package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"testing/fstest"
	"time"
)

func TestGranted(t *testing.T) {
	files := func(pairs ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		}
		return m
	}
	const meminfo = "MemTotal:       24683772 kB\nMemFree:        1 kB\n"
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  int64
	}{
		"nothing": {files(), 0},
		"machine": {files("proc/meminfo", meminfo), 24683772 << 10},
		"no limit": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/\n", "sys/fs/cgroup/memory.max",
			"max\n"), 24683772 << 10},
		"version 2": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max", "134217728\n"), 128 << 20},
		"around it": {files("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/memory.max", "1000\n",
			"sys/fs/cgroup/a/b/memory.max", "2000\n"), 1000},
		"in a container": {files("proc/self/cgroup", "0::/host/path\n", "sys/fs/cgroup/memory.max", "3000\n"), 3000},
		"version 1": {files("proc/self/cgroup", "8:pids:/\n4:cpu,memory:/docker/x\n",
			"sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "134217728\n"), 128 << 20},
		"version 1, none": {files("proc/meminfo", meminfo, "proc/self/cgroup", "4:memory:/x\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n"), 24683772 << 10},
		"climbing path": {files("proc/self/cgroup", "0::/../../x\n", "sys/fs/cgroup/x/memory.max", "4000\n"), 4000},
		"garbage": {files("proc/self/cgroup", "what\n0::\n", "proc/meminfo", "MemTotal: much\n",
			"sys/fs/cgroup/memory.max", "-1\n"), 0},
	} {
		if got := Granted(c.files); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live, spare int64
		want        int
	}{{0, 48 * mib, 400}, {5 * mib, 48 * mib, 400}, {24 * mib, 48 * mib, 200}, {48 * mib, 48 * mib, 100},
		{500 * mib, 48 * mib, 50}, {20 * mib, 16 * mib, 80}} {
		if got := percentOf(c.live, c.spare); got != c.want {
			t.Errorf("%d MiB in use: %d%%, want %d%%", c.live/mib, got, c.want)
		}
	}
	if spare := spareOf(128 * mib); spare != 16*mib {
		t.Errorf("%d bytes to spare in 128 MiB", spare)
	}
	if spare := spareOf(0); spare != 32*mib {
		t.Errorf("%d bytes to spare in nobody knows what", spare)
	}
}

// The collector follows the memory in use.
func TestFit(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	Fit(4 << 30)
	if got := debug.SetMemoryLimit(-1); got != (4<<30)/10*6 {
		t.Errorf("a memory limit of %d", got)
	}
	held := make([]byte, 96<<20)
	now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for end := time.Now().Add(2 * time.Minute); ; {
		runtime.GC()
		metrics.Read(now)
		if now[0].Value.Uint64() == 50 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d%% with 96 MiB in use", now[0].Value.Uint64())
		}
		time.Sleep(time.Millisecond)
	}
	runtime.KeepAlive(held)
}
