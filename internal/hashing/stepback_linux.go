package hashing

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// self names this program, even if its file has been replaced since.
func self() string { return "/proc/self/exe" }

// slice is the time that the scheduler lets the child run before it looks whether
// others are to run, as far as it can be asked for (Linux 6.12): the least.
const slice = 100_000 // ns

// stepBack gives all threads of this process the lowest priority. Linux has one
// for each thread, and a new thread has that of its creator. So nothing more is
// to be done once a look at all of them finds no other.
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
