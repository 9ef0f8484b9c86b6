package console

import "slices"

// Paths are the addresses of all pages, without their queries.
func (c *Console) Paths() []string {
	var all []string
	for path := range c.pages {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}
