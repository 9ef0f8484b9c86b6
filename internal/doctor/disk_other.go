//go:build !linux

package doctor

// spaceOf does not know the space here.
func spaceOf(string) (s space, ok bool) { return s, false }

func descriptorLimit() (int64, bool) { return 0, false }
