package console

// homePages is the first page. It goes on to what there is to see: the
// overview, or else the users.
func (c *Console) homePages() []page {
	return []page{{path: Root, title: "Console", get: c.home}}
}

func (c *Console) home(v *visit) error {
	for _, path := range [...]string{"/console/overview", "/console/users", myPath} {
		if c.pages[path] != nil {
			return v.to(path)
		}
	}
	return v.show("home", nil)
}
