package doctor

import (
	"fmt"

	"rollcall/internal/memory"
)

const (
	// leastMemory is enough for an account of some ten thousand users.
	leastMemory = 128 << 20
	// leastDescriptors allows a thousand connections.
	leastDescriptors = 1100
)

// limits checks what the system grants to a process.
func (x *examination) limits() {
	if granted := memory.Granted(x.Root); granted > 0 {
		text := size(granted) + " are granted to a process here"
		if granted < leastMemory {
			x.warn("memory", text, "grant at least 128 MiB to the container or the service")
		} else {
			x.ok("memory", text)
		}
	}
	limit, known := descriptorLimit()
	whose := "this process may open"
	if x.live != nil && x.live.descriptors > 0 {
		limit, known, whose = x.live.descriptors, true, fmt.Sprintf("the service has %d files open and may open", x.live.open)
	}
	if !known {
		return
	}
	text := fmt.Sprintf("%s %d", whose, limit)
	const do = "raise LimitNOFILE of the unit, or ulimit -n: each connection takes one"
	switch {
	case x.live != nil && limit > 0 && x.live.open > limit/10*9:
		x.fault("descriptors", text, do)
	case limit < leastDescriptors:
		x.warn("descriptors", text, do)
	default:
		x.ok("descriptors", text)
	}
}
