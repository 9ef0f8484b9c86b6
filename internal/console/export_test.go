package console

import (
	"maps"
	"slices"
)

// Paths returns the addresses of all pages, without queries.
func (c *Console) Paths() []string {
	var all []string
	for path := range c.pages {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// Forms returns the values of "do" in the forms of each page, by the page's
// address.
func (c *Console) Forms() map[string][]string {
	all := map[string][]string{}
	for path, p := range c.pages {
		all[path] = slices.Sorted(maps.Keys(p.post))
	}
	return all
}
