package hashing

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// self returns a name of this program that works even if its file has been
// replaced.
func self() string { return "/proc/self/exe" }

// slice is the minimum time that the scheduler can let the child run before it
// checks for other threads, if the kernel supports the request (Linux 6.12).
const slice = 100_000 // ns

// stepBack gives all threads of this process the lowest priority. In Linux each
// thread has its own priority, and a new thread inherits its creator's. So the
// work is done once a check finds no thread with another priority.
func stepBack() {
	for range 100 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		found := false
		for _, task := range tasks {
			id, err := strconv.Atoi(task.Name())
			if err != nil {
				continue
			}
			if now, err := unix.SchedGetAttr(id, 0); err != nil || now.Nice == lowest {
				continue
			}
			found = true
			low := &unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: lowest, Runtime: slice}
			if unix.SchedSetAttr(id, low, 0) != nil {
				_ = unix.Setpriority(unix.PRIO_PROCESS, id, lowest)
			}
		}
		if !found {
			return
		}
	}
}
