package console

// homePages returns the first page. It redirects to the overview if the person
// may see it, and otherwise to the users.
func (c *Console) homePages() []page {
	return []page{{path: Root, title: "Console", get: c.home}}
}

func (c *Console) home(v *visit) error {
	for _, path := range [...]string{"/console/overview", "/console/users", myPath} {
		if c.pages[path] != nil {
			return v.to(path)
		}
	}
	return v.show(home())
}
